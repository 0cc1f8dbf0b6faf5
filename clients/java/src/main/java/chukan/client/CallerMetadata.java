// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.util.UUID;

/**
 * Says with every call who calls (呼出し元): the organization, the user, and a request id.
 *
 * <p>On plaintext loopback the organization is believed as said. Over TLS the certificate names it,
 * and the metadata may only repeat it.
 */
final class CallerMetadata implements ClientInterceptor {
  /** Set on a stub to send a request again under the same id; else each call gets a fresh one. */
  static final CallOptions.Key<String> REQUEST_ID = CallOptions.Key.create("chukan-request-id");

  private static final Metadata.Key<String> ORGANIZATION_KEY = key("chukan-organization");
  private static final Metadata.Key<String> USER_KEY = key("chukan-user");
  private static final Metadata.Key<String> REQUEST_ID_KEY = key("chukan-request-id");

  private final String organization;
  private final String user;

  CallerMetadata(String organization, String user) {
    this.organization = organization;
    this.user = user;
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<A> listener, Metadata headers) {
        String given = options.getOption(REQUEST_ID);
        headers.put(ORGANIZATION_KEY, organization);
        headers.put(USER_KEY, user);
        headers.put(REQUEST_ID_KEY, given != null ? given : UUID.randomUUID().toString());
        super.start(listener, headers);
      }
    };
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
