// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import chukan.address.v1.AddressServiceGrpc;
import chukan.address.v1.AddressServiceGrpc.AddressServiceBlockingV2Stub;
import chukan.network.v1.NetworkServiceGrpc;
import chukan.network.v1.NetworkServiceGrpc.NetworkServiceBlockingV2Stub;
import chukan.network.v1.ResidentNetworkServiceGrpc;
import chukan.network.v1.ResidentNetworkServiceGrpc.ResidentNetworkServiceBlockingV2Stub;
import chukan.v1.ExchangeRecordServiceGrpc;
import chukan.v1.ExchangeRecordServiceGrpc.ExchangeRecordServiceBlockingV2Stub;
import chukan.v1.InquiryServiceGrpc;
import chukan.v1.InquiryServiceGrpc.InquiryServiceBlockingV2Stub;
import chukan.v1.LinkageCodeServiceGrpc;
import chukan.v1.LinkageCodeServiceGrpc.LinkageCodeServiceBlockingV2Stub;
import chukan.v1.ReplicaServiceGrpc;
import chukan.v1.ReplicaServiceGrpc.ReplicaServiceBlockingV2Stub;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.stub.AbstractStub;
import java.time.Duration;

/**
 * One municipality (市区町村) as a caller: its services, each call with a deadline from now.
 *
 * <p>All municipalities may share one channel; who calls is said per call by {@link
 * CallerMetadata}. The stubs block (V2) and throw {@link io.grpc.StatusException}.
 */
final class Municipality {
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  /** Organization code (機関コード), 16 digits, of docs/reference/organizations.md. */
  final String code;

  final String name;
  private final Channel channel;

  Municipality(String code, String name, Channel channel) {
    this.code = code;
    this.name = name;
    this.channel = ClientInterceptors.intercept(channel, new CallerMetadata(code, "java-example"));
  }

  AddressServiceBlockingV2Stub addresses() {
    return timed(AddressServiceGrpc.newBlockingV2Stub(channel));
  }

  LinkageCodeServiceBlockingV2Stub linkageCodes() {
    return timed(LinkageCodeServiceGrpc.newBlockingV2Stub(channel));
  }

  ReplicaServiceBlockingV2Stub replicas() {
    return timed(ReplicaServiceGrpc.newBlockingV2Stub(channel));
  }

  InquiryServiceBlockingV2Stub inquiries() {
    return timed(InquiryServiceGrpc.newBlockingV2Stub(channel));
  }

  ExchangeRecordServiceBlockingV2Stub records() {
    return timed(ExchangeRecordServiceGrpc.newBlockingV2Stub(channel));
  }

  /** The simulated resident network (住基ネット), which takes individual numbers. */
  ResidentNetworkServiceBlockingV2Stub residentNetwork() {
    return timed(ResidentNetworkServiceGrpc.newBlockingV2Stub(channel));
  }

  /** The information provision network, called in the municipality's name. */
  NetworkServiceBlockingV2Stub network() {
    return timed(NetworkServiceGrpc.newBlockingV2Stub(channel));
  }

  /** A deadline is a moment, not a span: each call needs a stub of its own. */
  private static <S extends AbstractStub<S>> S timed(S stub) {
    return stub.withDeadlineAfter(DEADLINE.toMillis(), MILLISECONDS);
  }
}
