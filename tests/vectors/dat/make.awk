#!/usr/bin/awk -f
# SPDX-License-Identifier: Apache-2.0
# Makes the inquiry file of this folder without any code of this project:
#   LC_ALL=C awk -f make.awk > P640R110_20260615090000_0001.DAT
# Synthetic content: no number belongs to anybody. 世田谷区 (0220113112101700) asks.
function row(local, provider, procedure, information, start, end,   n) {
  n = ++count
  printf "01,%015d,,2026061509%02d00%03d,%-20s,%-20s,0220113112101700,1,JM01000000121000,%s,,,%s,%s,0,0,%s,%s\r\n", \
    local, n, n, "131120101", "DUMMY0001", procedure, provider, information, start, end
}
BEGIN {
  tax = "TM00000000000002"; benefit = "JT01010000000214"
  row(1, "13104", benefit, tax, "20260601", "20270531")                                # 5 digits
  row(2, "131041", benefit, tax, "20260601", "20270531")                               # 6 digits
  row(3, "0220113104101700", benefit, tax, "20260601", "20270531")                     # 16 digits
  row(4, sprintf("%-16s", "13104"), benefit, tax, "", "")                              # padded, no dates
  row(5, "13104", benefit, tax, "20260601", "20270531")                                # nobody sent anything yet
  row(6, "", benefit, tax, "20260601", "20270531")                                     # provider blank
  row(7, "13104", benefit, "TM00000000000082", "20260601", "20270531")                 # not permitted
  row(8, "13104", benefit, tax, "20260601", "20270531")                                # code not acquired
  row(9, "13104", benefit, tax, "20260601", "20270531")                                # not registered
  row(10, "01101", benefit, tax, "20260601", "20270531")                               # ward of a designated city
  row(11, "99999", benefit, tax, "20260601", "20270531")                               # no such municipality
  row(12, "1419900000002200", "JT01010000000001", "TM00000000000089", "", "")          # デジタル庁
}
