// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import chukan.address.v1.RegisterPeopleRequest;
import chukan.address.v1.RegisterPeopleResponse;
import chukan.address.v1.SubmitProcessingNumbersRequest;
import chukan.network.v1.NotifyResidentsRequest;
import chukan.v1.GetLinkageStateRequest;
import chukan.v1.LinkageState;
import chukan.v1.LinkageStatus;
import chukan.v1.RegisterAddresseesRequest;
import io.grpc.Status;
import io.grpc.StatusException;
import java.time.Duration;
import java.time.Instant;

/**
 * From a person's individual number to the linkage code (符号) of one municipality.
 *
 * <p>The individual number goes to the address system and the resident network only; the middle
 * server knows the person by the integrated address number (団体内統合宛名番号) alone.
 */
final class CodeAcquisition {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final String RESIDENTS = "01"; // number system (番号体系) of the resident register

  private final Municipality municipality;
  private final String run;

  /**
   * @param run distinguishes this run's batch ids from those of other runs
   */
  CodeAcquisition(Municipality municipality, String run) {
    this.municipality = municipality;
    this.run = run;
  }

  /** Numbers the person (付番) in the address system. */
  RegisterPeopleResponse number(DummyPerson person) throws StatusException, InterruptedException {
    return Streams.sendOne(
        municipality.addresses().registerPeople(),
        RegisterPeopleRequest.newBuilder()
            .setBatchId("people-" + run)
            .setNumberSystem(RESIDENTS)
            .addLocalAddressNumbers(person.localAddressNumber())
            .addIndividualNumbers(person.individualNumber())
            .addNames(person.name())
            .addBirthDates(person.birthDate())
            .addSexes(person.sex())
            .addResidentialAddresses(person.residentialAddress())
            .build());
  }

  /**
   * Makes the person known to the simulated resident network (住基ネット), without whom no code is
   * made (NO_RESIDENT_RECORD_CODE). In the real world this is not an address system's work.
   */
  void notifyResidentNetwork(DummyPerson person) throws StatusException, InterruptedException {
    Streams.sendOne(
        municipality.residentNetwork().notifyResidents(),
        NotifyResidentsRequest.newBuilder()
            .setBatchId("residents-" + run)
            .addIndividualNumbers(person.individualNumber())
            .addResidentRecordCodes(person.residentRecordCode())
            .addNames(person.name())
            .addBirthDates(person.birthDate())
            .addSexes(person.sex())
            .addResidentialAddresses(person.residentialAddress())
            .build());
  }

  /** Acquires the code (符号取得): registers and asks in one step, hands the processing number on, waits until linked. */
  LinkageStatus acquire(String integratedAddressNumber)
      throws StatusException, InterruptedException {
    // The address system does not tell the middle server by itself: this is our work.
    Streams.sendOne(
        municipality.linkageCodes().registerAddressees(),
        RegisterAddresseesRequest.newBuilder()
            .setBatchId("addressees-" + run)
            .addIntegratedAddressNumbers(integratedAddressNumber)
            .addCodeRows(0)
            .build());
    LinkageStatus issued =
        await(integratedAddressNumber, LinkageState.LINKAGE_STATE_PROCESSING_NUMBER_ISSUED);
    // The resident network has a SubmitProcessingNumbers too; this is the address system's, which
    // adds the individual number by itself.
    municipality
        .addresses()
        .submitProcessingNumbers(
            SubmitProcessingNumbersRequest.newBuilder()
                .setBatchId("processing-" + run)
                .addIntegratedAddressNumbers(integratedAddressNumber)
                .addProcessingNumbers(issued.getProcessingNumber())
                .build());
    return await(integratedAddressNumber, LinkageState.LINKAGE_STATE_LINKED);
  }

  private LinkageStatus await(String integratedAddressNumber, LinkageState wanted)
      throws StatusException, InterruptedException {
    Instant until = Instant.now().plus(PATIENCE);
    while (true) {
      LinkageStatus status =
          municipality
              .linkageCodes()
              .getLinkageState(
                  GetLinkageStateRequest.newBuilder()
                      .setIntegratedAddressNumber(integratedAddressNumber)
                      .build())
              .getLinkageStatus();
      if (status.getState() == wanted) {
        return status;
      }
      if (status.getState() == LinkageState.LINKAGE_STATE_FAILED || Instant.now().isAfter(until)) {
        throw Status.FAILED_PRECONDITION
            .withDescription(
                "got %s %s, expected %s"
                    .formatted(status.getState(), status.getFailureReason(), wanted))
            .asException();
      }
      Thread.sleep(PAUSE.toMillis());
    }
  }
}
