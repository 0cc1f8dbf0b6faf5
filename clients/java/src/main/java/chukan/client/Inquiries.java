// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import chukan.v1.Common.Period;
import chukan.v1.InquiryServiceOuterClass.Inquiry;
import chukan.v1.InquiryServiceOuterClass.InquirySpec;
import chukan.v1.InquiryServiceOuterClass.WatchInquiriesRequest;
import chukan.v1.InquiryServiceOuterClass.WatchInquiriesResponse;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** What is asked (情報照会), and how one learns that it was answered. */
final class Inquiries {
  /** Watch from now on; the first answer comes at once and holds nothing but this position. */
  private static final String NOW = "now";

  // Row P-214 of docs/reference/permission_list.md: a municipality may ask another for local tax.
  private static final String AFFAIR = "JM01000000121000";
  private static final String PROCEDURE = "JT01010000000214";
  private static final String MEDICAL_INSURANCE = "TM00000000000003";

  private final Municipality inquirer;
  private final String providerCode;

  Inquiries(Municipality inquirer, String providerCode) {
    this.inquirer = inquirer;
    this.providerCode = providerCode;
  }

  /** Asks for the local tax records that are valid today. */
  InquirySpec localTax(String recordId, String integratedAddressNumber) {
    return InquirySpec.newBuilder()
        .setRecordId(recordId)
        .setIntegratedAddressNumber(integratedAddressNumber)
        .setAffairCode(AFFAIR)
        .setProcedureCode(PROCEDURE)
        .setProviderCode(providerCode)
        .setInformationCode(LocalTax.INFORMATION)
        .build();
  }

  /** Asks for a fiscal year of which the provider holds nothing. */
  InquirySpec ofOtherYear(String recordId, String integratedAddressNumber) {
    return localTax(recordId, integratedAddressNumber).toBuilder()
        .setYearKind("1")
        .setPeriod(Period.newBuilder().setStartDate(LocalTax.OTHER_YEAR + "0401"))
        .build();
  }

  /** Asks for what the procedure may not ask for. */
  InquirySpec notPermitted(String recordId, String integratedAddressNumber) {
    return localTax(recordId, integratedAddressNumber).toBuilder()
        .setInformationCode(MEDICAL_INSURANCE)
        .build();
  }

  /** Gives the position of this moment, then cancels the watch. */
  String presentPosition() throws StatusException, InterruptedException {
    BlockingClientCall<?, WatchInquiriesResponse> watch = watchFrom(NOW);
    WatchInquiriesResponse first = read(watch);
    watch.cancel("the position is known", null);
    return first.getResumeToken();
  }

  /** Watches from a position until all of these are finished, then cancels the watch. */
  Map<String, Inquiry> awaitFinished(String resumeToken, Set<String> receiptNumbers)
      throws StatusException, InterruptedException {
    Map<String, Inquiry> finished = new HashMap<>();
    BlockingClientCall<?, WatchInquiriesResponse> watch = watchFrom(resumeToken);
    while (!finished.keySet().containsAll(receiptNumbers)) {
      // A real client stores the token of each answer once it has done what the answer says.
      for (Inquiry inquiry : read(watch).getInquiriesList()) {
        finished.put(inquiry.getReceiptNumber(), inquiry);
      }
    }
    watch.cancel("all are finished", null);
    return finished;
  }

  private BlockingClientCall<?, WatchInquiriesResponse> watchFrom(String resumeToken) {
    // The deadline ends a watch too; a client that watches for days sets a long one and resumes.
    return inquirer
        .inquiries()
        .watchInquiries(
            WatchInquiriesRequest.newBuilder()
                .setResumeToken(resumeToken)
                .setFinishedOnly(true)
                .build());
  }

  private static WatchInquiriesResponse read(BlockingClientCall<?, WatchInquiriesResponse> watch)
      throws StatusException, InterruptedException {
    WatchInquiriesResponse answer = watch.read();
    if (answer == null) {
      throw Status.UNAVAILABLE.withDescription("the watch ended").asException();
    }
    return answer;
  }
}
