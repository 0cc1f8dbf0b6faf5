// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import chukan.v1.ItemColumn;
import chukan.v1.RegisterReplicasRequest;
import chukan.v1.ReplicaBatchHeader;
import chukan.v1.RunKind;

/**
 * Local tax (地方税関係情報) in the synthetic layout of docs/reference/layouts.md: the codes this
 * example needs, and a batch of two rows by columns.
 */
final class LocalTax {
  static final String INFORMATION = "TM00000000000002";
  static final String DATA_SET = "0100";
  static final String EDITION = "0801";

  /** 合計所得金額, given as a value. */
  static final String TOTAL_INCOME = item(7);
  /** 総所得金額等, given as nil with a reason. */
  static final String TOTAL_OF_INCOMES = item(8);
  static final String INCOME = "3456000";
  /** Nil reason 01: 未申告, no declaration was made. It is not zero and not absent. */
  static final String NOT_DECLARED = "01";

  /** A fiscal year of which nothing is registered. */
  static final String OTHER_YEAR = "2019";

  private static final String THIS_YEAR = "2026";
  private static final String LAST_YEAR = "2025";

  private LocalTax() {}

  /** Two fiscal years of one person. The second row holds an amount the layout refuses. */
  static RegisterReplicasRequest twoYears(String batchId, String integratedAddressNumber) {
    return RegisterReplicasRequest.newBuilder()
        .setBatchId(batchId)
        .setHeader(
            ReplicaBatchHeader.newBuilder()
                .setMessageId(batchId)
                .setSourceSystem("java-example")
                .setRunKind(RunKind.RUN_KIND_MOVEMENT))
        .setInformationCode(INFORMATION)
        .setDataSet(DATA_SET)
        .setEdition(EDITION)
        .addRecordIds(batchId + "-1")
        .addRecordIds(batchId + "-2")
        .addIntegratedAddressNumbers(integratedAddressNumber)
        .addIntegratedAddressNumbers(integratedAddressNumber)
        // The layout says: the record key is the value of item 1, the fiscal year.
        .addRecordKeys(THIS_YEAR)
        .addRecordKeys(LAST_YEAR)
        .addStartDates("20260601")
        .addStartDates("20250601")
        .addEndDates("20270531")
        .addEndDates("20260531")
        .addItems(column(item(1), THIS_YEAR, LAST_YEAR))
        .addItems(column(item(2), "131016", "131016"))
        .addItems(column(item(3), "120000", "98000"))
        .addItems(column(item(4), "3000", "3000"))
        .addItems(column(item(5), "80000", "65000"))
        .addItems(column(item(6), "1000", "1000"))
        .addItems(column(TOTAL_INCOME, INCOME, "many")) // refused: not a number
        .addItems(column(TOTAL_OF_INCOMES, "", "").toBuilder()
            .addNilRows(0).addNilReasons(NOT_DECLARED)
            .addNilRows(1).addNilReasons(NOT_DECLARED))
        .addItems(column(item(49), "0", "0"))
        .addItems(column(item(50), "1", "1"))
        .build();
  }

  private static ItemColumn column(String itemCode, String first, String second) {
    return ItemColumn.newBuilder().setItemCode(itemCode).addValues(first).addValues(second).build();
  }

  private static String item(int number) {
    return "TK900020100000%02d".formatted(number);
  }
}
