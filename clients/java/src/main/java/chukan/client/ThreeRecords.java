// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import chukan.network.v1.ListNetworkRecordsRequest;
import chukan.v1.ExchangeRecord;
import chukan.v1.GetExchangeRecordRequest;
import chukan.v1.ListExchangeRecordsRequest;
import chukan.v1.ReconcileExchangeRecordsRequest;
import chukan.v1.Reconciliation;
import chukan.v1.ReconciliationState;
import chukan.v1.RecordSide;
import io.grpc.Status;
import io.grpc.StatusException;
import java.time.Duration;
import java.time.Instant;

/**
 * The records (情報提供等記録) that inquirer, network and provider wrote of one exchange.
 *
 * @param inquirer the record of the inquirer
 * @param network the record of the network
 * @param provider the record of the provider
 */
record ThreeRecords(ExchangeRecord inquirer, ExchangeRecord network, ExchangeRecord provider) {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration PAUSE = Duration.ofMillis(50);

  /** Reads all three. The receipt leads to the inquirer's record, its exchange id to the others. */
  static ThreeRecords read(Municipality inquirer, Municipality provider, String receipt)
      throws StatusException {
    ExchangeRecord own =
        inquirer
            .records()
            .listExchangeRecords(
                ListExchangeRecordsRequest.newBuilder().setReceiptNumber(receipt).build())
            .getRecordsList()
            .stream()
            .findFirst()
            .orElseThrow(Status.NOT_FOUND.withDescription("no record of the receipt")::asException);
    ExchangeRecord others =
        provider
            .records()
            .getExchangeRecord(
                GetExchangeRecordRequest.newBuilder()
                    .setExchangeId(own.getExchangeId())
                    .setSide(RecordSide.RECORD_SIDE_PROVIDER)
                    .build())
            .getRecord();
    ExchangeRecord between =
        inquirer
            .network()
            .listNetworkRecords(
                ListNetworkRecordsRequest.newBuilder().addExchangeIds(own.getExchangeId()).build())
            .getRecordsList()
            .stream()
            .findFirst()
            .orElseThrow(Status.NOT_FOUND.withDescription("no record of the network")::asException)
            .getRecord();
    return new ThreeRecords(own, between, others);
  }

  /** Says whether they agree in everything that is not a side's own. */
  boolean agree() {
    return shared(inquirer).equals(shared(network)) && shared(network).equals(shared(provider));
  }

  /**
   * Has the server compare. The first question may be answered UNKNOWN: it makes the middle server
   * fetch the network's records, so one asks again.
   */
  static ReconciliationState reconciled(Municipality side, String exchangeId)
      throws StatusException, InterruptedException {
    Instant until = Instant.now().plus(PATIENCE);
    while (true) {
      Reconciliation found =
          side.records()
              .reconcileExchangeRecords(
                  ReconcileExchangeRecordsRequest.newBuilder().addExchangeIds(exchangeId).build())
              .getReconciliations(0);
      boolean open =
          found.getState() == ReconciliationState.RECONCILIATION_STATE_UNKNOWN
              || found.getState() == ReconciliationState.RECONCILIATION_STATE_PENDING;
      if (!open || Instant.now().isAfter(until)) {
        return found.getState();
      }
      Thread.sleep(PAUSE.toMillis());
    }
  }

  private static ExchangeRecord shared(ExchangeRecord record) {
    return record.toBuilder()
        .clearSide()
        .clearIntegratedAddressNumber() // each body has its own number of the person
        .clearItemCodes() // the network sees no items
        .clearMode() // not in the network's record, nor are the two delegators
        .clearInquirerDelegatorCode()
        .clearProviderDelegatorCode()
        .clearReceiptNumber() // the inquirer's own
        .clearChangeSeq() // each side counts for itself
        .build();
  }
}
