// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import chukan.v1.Inquiry;
import chukan.v1.InquirySpec;
import chukan.v1.InquiryState;
import chukan.v1.ListInquiriesRequest;
import chukan.v1.ListInquiriesResponse;
import chukan.v1.Period;
import chukan.v1.WatchInquiriesRequest;
import chukan.v1.WatchInquiriesResponse;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What is asked (情報照会), and how one learns that it was answered. */
final class Inquiries {
  private static final List<InquiryState> FINISHED =
      List.of(
          InquiryState.INQUIRY_STATE_ANSWERED,
          InquiryState.INQUIRY_STATE_REFUSED,
          InquiryState.INQUIRY_STATE_TIMED_OUT,
          InquiryState.INQUIRY_STATE_CANCELLED);

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

  /**
   * Lists what is finished already, then watches from the list's position until all of these are
   * finished, and cancels the watch. Whatever ends in between is in the list, in the watch, or in
   * both; a client that starts anew begins in the same way.
   */
  Map<String, Inquiry> awaitFinished(Set<String> receiptNumbers)
      throws StatusException, InterruptedException {
    Map<String, Inquiry> finished = new HashMap<>();
    String position = listFinished(finished);
    BlockingClientCall<?, WatchInquiriesResponse> watch = watchFrom(position);
    while (!finished.keySet().containsAll(receiptNumbers)) {
      // A real client stores the token of each answer once it has done what the answer says.
      for (Inquiry inquiry : read(watch).getInquiriesList()) {
        finished.put(inquiry.getReceiptNumber(), inquiry);
      }
    }
    watch.cancel("all are finished", null);
    return finished;
  }

  /** Puts all finished inquiries into the map; gives the first page's position to watch from. */
  private String listFinished(Map<String, Inquiry> finished) throws StatusException {
    String position = "";
    String page = "";
    do {
      ListInquiriesResponse answer =
          inquirer
              .inquiries()
              .listInquiries(
                  ListInquiriesRequest.newBuilder()
                      .addAllStates(FINISHED)
                      .setPageToken(page)
                      .build());
      for (Inquiry inquiry : answer.getInquiriesList()) {
        finished.put(inquiry.getReceiptNumber(), inquiry);
      }
      position = position.isEmpty() ? answer.getResumeToken() : position;
      page = answer.getNextPageToken();
    } while (!page.isEmpty()); // a page may be empty without being the last
    return position;
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
