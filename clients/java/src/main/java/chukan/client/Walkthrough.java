// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import chukan.address.v1.IssueNonResidentNumberRequest;
import chukan.address.v1.IssueNonResidentNumberResponse;
import chukan.address.v1.LinkOutcome;
import chukan.address.v1.Person;
import chukan.address.v1.RegisterPeopleResponse;
import chukan.v1.AcknowledgeResultsRequest;
import chukan.v1.AnswerKind;
import chukan.v1.CreateInquiriesRequest;
import chukan.v1.CreateInquiriesResponse;
import chukan.v1.CreateInquiryRequest;
import chukan.v1.ExchangeOutcome;
import chukan.v1.GetInquiryResultsRequest;
import chukan.v1.GetInquiryResultsResponse;
import chukan.v1.Inquiry;
import chukan.v1.InquiryState;
import chukan.v1.ItemValue;
import chukan.v1.LinkageState;
import chukan.v1.ListReplicasRequest;
import chukan.v1.ReconciliationState;
import chukan.v1.RegisterReplicasRequest;
import chukan.v1.RegisterReplicasResponse;
import chukan.v1.RowFailure;
import chukan.v1.RowOutcome;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * One exchange from beginning to end: 千代田区 provides, 港区 inquires (情報照会・情報提供の一巡).
 *
 * <p>Needs {@code chukan serve} on plaintext loopback. Exit codes: 0 all was as expected, 1
 * something differed or failed, 2 the arguments are not understood.
 */
public final class Walkthrough {
  private final Report report;
  private final Municipality provider;
  private final Municipality inquirer;
  private final Inquiries inquiries;

  /** Part of every id of this run: ids are never used for two things. */
  private final String run = UUID.randomUUID().toString().substring(0, 13);

  private String numberAtProvider;
  private String numberAtInquirer;
  private RegisterReplicasRequest replicas;
  private Inquiry accepted;
  private Inquiry refused;

  private Walkthrough(ManagedChannel channel, Report report) {
    this.report = report;
    provider = new Municipality("0220113101601700", "千代田区", channel);
    inquirer = new Municipality("0220113103201700", "港区", channel);
    inquiries = new Inquiries(inquirer, provider.code);
  }

  /** Runs against the server whose HOST:PORT is the only argument. */
  public static void main(String[] arguments) throws InterruptedException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    if (arguments.length != 1) {
      System.err.println("usage: HOST:PORT of a chukan serve on plaintext loopback");
      System.exit(2);
    }
    Report report = new Report(out);
    ManagedChannel channel =
        Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create()).build();
    String wrong = "";
    try {
      new Walkthrough(channel, report).walk();
    } catch (Report.Differs differs) {
      wrong = differs.getMessage();
    } catch (StatusException failed) {
      wrong = Failure.of(failed) + " " + failed.getStatus().getDescription();
    } finally {
      channel.shutdown();
      if (!channel.awaitTermination(5, TimeUnit.SECONDS)) {
        channel.shutdownNow();
        wrong = wrong.isEmpty() ? "a call was still open at the end" : wrong;
      }
    }
    report.note("ok", wrong.isEmpty());
    if (wrong.isEmpty()) {
      report.step(8, "closed; nothing is left open");
    } else {
      report.note("differed", wrong);
    }
    out.println(report.json());
    if (!wrong.isEmpty()) {
      System.exit(1);
    }
  }

  private void walk() throws StatusException, InterruptedException, Report.Differs {
    acquireCodes(DummyPerson.draw());
    registerReplicas();
    inquire();
    compareRecords();
    repeatAfterLostAnswer();
    failAsCall();
    failAsResult();
  }

  private void acquireCodes(DummyPerson person)
      throws StatusException, InterruptedException, Report.Differs {
    CodeAcquisition atProvider = new CodeAcquisition(provider, run);
    CodeAcquisition atInquirer = new CodeAcquisition(inquirer, run);
    numberAtProvider = numbered("provider", atProvider.number(person));
    numberAtInquirer = numbered("inquirer", atInquirer.number(person));
    report.step(1, "numbered: %s at %s, %s at %s".formatted(
        numberAtProvider, provider.name, numberAtInquirer, inquirer.name));

    atProvider.notifyResidentNetwork(person);
    report.expect("linked_at_provider", LinkageState.LINKAGE_STATE_LINKED,
        atProvider.acquire(numberAtProvider).getState());
    report.expect("linked_at_inquirer", LinkageState.LINKAGE_STATE_LINKED,
        atInquirer.acquire(numberAtInquirer).getState());
    report.step(2, "linkage codes acquired; neither body ever sees one");
  }

  private String numbered(String side, RegisterPeopleResponse answer) throws Report.Differs {
    report.expect("outcome_at_" + side, LinkOutcome.LINK_OUTCOME_NUMBERED, answer.getOutcomes(0));
    return answer.getIntegratedAddressNumbers(0);
  }

  /** Registers two rows, one of which the layout refuses; the first answer is lost on its way. */
  private void registerReplicas() throws StatusException, InterruptedException, Report.Differs {
    replicas = LocalTax.twoYears("replicas-" + run, numberAtProvider);
    report.expect("replica_answer_lost", Status.Code.UNAVAILABLE, registerAndLoseTheAnswer());

    // We don't know whether it was written, so we send the same batch again under the same id.
    RegisterReplicasResponse answer =
        Streams.sendOne(provider.replicas().registerReplicas(), replicas);
    report.expect("replica_batch_repeated", true, answer.getRepeatedBatch());
    report.expect("replica_outcomes",
        List.of(RowOutcome.ROW_OUTCOME_COMMITTED, RowOutcome.ROW_OUTCOME_REFUSED),
        answer.getOutcomesList());
    RowFailure failure = answer.getFailures(0);
    report.expect("replica_refusal", "1 ITEM_VALUE_INVALID " + LocalTax.TOTAL_INCOME + " number",
        "%d %s %s %s".formatted(
            failure.getRow(), failure.getReason(), failure.getItemCode(), failure.getRule()));
    report.expect("replica_versions", List.of(1), replicaVersions());
    report.step(3, "replicas: row 0 written once although sent twice, row 1 refused: "
        + failure.getMessageJa());
  }

  private Status.Code registerAndLoseTheAnswer() throws InterruptedException {
    try {
      Streams.sendOne(
          provider.replicas().withInterceptors(new LostAnswer()).registerReplicas(), replicas);
      return Status.Code.OK;
    } catch (StatusException lost) {
      return lost.getStatus().getCode();
    }
  }

  private List<Integer> replicaVersions() throws StatusException {
    return provider
        .replicas()
        .listReplicas(
            ListReplicasRequest.newBuilder().setIntegratedAddressNumber(numberAtProvider).build())
        .getReplicasList()
        .stream()
        .map(replica -> replica.getVersion())
        .toList();
  }

  /** Asks once alone (即時照会) and twice in a batch (一括照会), and watches until all ended. */
  private void inquire() throws StatusException, InterruptedException, Report.Differs {
    accepted =
        inquirer
            .inquiries()
            .createInquiry(
                CreateInquiryRequest.newBuilder()
                    .setInquiry(inquiries.localTax("tax-" + run, numberAtInquirer))
                    .build())
            .getInquiry();
    CreateInquiriesResponse batch =
        Streams.sendOne(
            inquirer.inquiries().createInquiries(),
            CreateInquiriesRequest.newBuilder()
                .setBatchId("inquiries-" + run)
                .addInquiries(inquiries.ofOtherYear("year-" + run, numberAtInquirer))
                .addInquiries(inquiries.notPermitted("medical-" + run, numberAtInquirer))
                .build());
    String tax = accepted.getReceiptNumber();
    String otherYear = batch.getReceiptNumbers(0);
    String medical = batch.getReceiptNumbers(1);
    Map<String, Inquiry> ended =
        inquiries.awaitFinished(Set.of(tax, otherYear, medical));

    GetInquiryResultsResponse read =
        inquirer
            .inquiries()
            .getInquiryResults(
                GetInquiryResultsRequest.newBuilder()
                    .addReceiptNumbers(tax)
                    .addReceiptNumbers(otherYear)
                    .addReceiptNumbers(medical)
                    .build());
    readThreeAnswers(read);
    report.expect("acknowledged", 2,
        inquirer
            .inquiries()
            .acknowledgeResults(
                AcknowledgeResultsRequest.newBuilder()
                    .addReceiptNumbers(tax)
                    .addReceiptNumbers(otherYear)
                    .build())
            .getAcknowledgedCount());
    refused = ended.get(medical);
    report.expect("refused_result", "INQUIRY_HAS_NO_RESULT", read.getUnavailable(0).getReason());
  }

  /** A value, nil with a reason, and no replica at all are three different answers. */
  private void readThreeAnswers(GetInquiryResultsResponse read) throws Report.Differs {
    report.expect("answer_kind", AnswerKind.ANSWER_KIND_VALUES, read.getResults(0).getAnswerKind());
    List<ItemValue> items = read.getResults(0).getRecords(0).getItemsList();
    report.expect("value", LocalTax.INCOME, item(items, LocalTax.TOTAL_INCOME).getValue());
    ItemValue nil = item(items, LocalTax.TOTAL_OF_INCOMES);
    report.expect("is_nil", ItemValue.ContentCase.NIL_REASON, nil.getContentCase());
    report.expect("nil_reason", LocalTax.NOT_DECLARED, nil.getNilReason());
    report.expect("other_year", AnswerKind.ANSWER_KIND_NO_REPLICA,
        read.getResults(1).getAnswerKind());
    report.step(4, "answered: %s is %s, %s is nil (%s), %s has no replica".formatted(
        LocalTax.TOTAL_INCOME, LocalTax.INCOME, LocalTax.TOTAL_OF_INCOMES, nil.getNilReason(),
        LocalTax.OTHER_YEAR));
  }

  private static ItemValue item(List<ItemValue> items, String code) {
    return items.stream()
        .filter(item -> item.getItemCode().equals(code))
        .findFirst()
        .orElse(ItemValue.getDefaultInstance());
  }

  private void compareRecords() throws StatusException, InterruptedException, Report.Differs {
    ThreeRecords records =
        ThreeRecords.read(inquirer, provider, accepted.getReceiptNumber());
    report.expect("exchange_id_of_inquiry", accepted.getExchangeId(),
        records.inquirer().getExchangeId());
    report.expect("records_agree", true, records.agree());
    report.expect("records_outcome", ExchangeOutcome.EXCHANGE_OUTCOME_PROVIDED,
        records.network().getOutcome());
    String exchangeId = records.network().getExchangeId();
    report.expect("reconciled", ReconciliationState.RECONCILIATION_STATE_AGREES,
        ThreeRecords.reconciled(inquirer, exchangeId));
    report.step(5, "three records agree on exchange " + exchangeId.substring(0, 16) + "…");
  }

  /** The same request under the same chukan-request-id has one effect, however often it is sent. */
  private void repeatAfterLostAnswer() throws StatusException, Report.Differs {
    DummyPerson somebody = DummyPerson.draw();
    IssueNonResidentNumberRequest request =
        IssueNonResidentNumberRequest.newBuilder()
            .setBusinessId("JAVA")
            .setPerson(
                Person.newBuilder()
                    .setName(somebody.name())
                    .setBirthDate(somebody.birthDate())
                    .setSex(somebody.sex())
                    .setResidentialAddress(somebody.residentialAddress()))
            .build();
    String requestId = "issue-" + run;
    Status.Code lost = Status.Code.OK;
    try {
      inquirer
          .addresses()
          .withOption(CallerMetadata.REQUEST_ID, requestId)
          .withInterceptors(new LostAnswer())
          .issueNonResidentNumber(request);
    } catch (StatusException failed) {
      lost = failed.getStatus().getCode();
    }
    report.expect("issue_answer_lost", Status.Code.UNAVAILABLE, lost);
    IssueNonResidentNumberResponse second = issue(requestId, request);
    IssueNonResidentNumberResponse third = issue(requestId, request);
    report.expect("issued_once", true, second.equals(third));
    report.expect("issued_under_fresh_id", LinkOutcome.LINK_OUTCOME_HELD,
        issueUnderFreshId(request));
    report.step(6, "number issued once although asked three times: "
        + second.getLocalNumber().getLocalAddressNumber());
  }

  private IssueNonResidentNumberResponse issue(
      String requestId, IssueNonResidentNumberRequest request) throws StatusException {
    return inquirer
        .addresses()
        .withOption(CallerMetadata.REQUEST_ID, requestId)
        .issueNonResidentNumber(request);
  }

  /** Proves that the first call was carried out: of a new request it is asked whether this is the same person. */
  private LinkOutcome issueUnderFreshId(IssueNonResidentNumberRequest request) throws StatusException {
    return inquirer.addresses().issueNonResidentNumber(request).getOutcome();
  }

  /** What can't be understood fails as a call, with a stable reason and a sentence for people. */
  private void failAsCall() throws InterruptedException, Report.Differs {
    RegisterReplicasRequest other = replicas.toBuilder().setRecordKeys(1, "2024").build();
    try {
      Streams.sendOne(provider.replicas().registerReplicas(), other);
      throw new Report.Differs("one batch id with two contents: got an answer, expected an error");
    } catch (StatusException thrown) {
      Failure failure = Failure.of(thrown);
      report.expect("failure_code", Status.Code.ABORTED, failure.code());
      report.expect("failure_reason", "IDEMPOTENCY_CONFLICT", failure.reason());
      report.expect("failure_fields", List.of("batch_id"), failure.fields());
      report.expect("failure_languages", Set.of("en", "ja"), failure.sentences().keySet());
      report.step(7, "failed as a call: %s %s".formatted(
          failure.reason(), failure.sentences().get("ja")));
    }
  }

  /** A refusal of one inquiry is a result that is recorded, not a failed call. */
  private void failAsResult() throws Report.Differs {
    report.expect("refused_state", InquiryState.INQUIRY_STATE_REFUSED, refused.getState());
    report.expect("refused_reason", "NOT_PERMITTED_INFORMATION", refused.getReason());
    report.step(7, "refused as a result: %s %s".formatted(
        refused.getReason(), refused.getStatus().getRowMessage()));
  }
}
