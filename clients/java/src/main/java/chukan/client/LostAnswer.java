// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

/**
 * Loses the answer of a call on its way back: the server has done the work, the caller does not
 * know. It stands for a line that breaks at the worst moment, and for nothing in a real client.
 */
final class LostAnswer implements ClientInterceptor {
  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<A> listener, Metadata headers) {
        super.start(new Loser<>(listener, this), headers);
      }
    };
  }

  private static final class Loser<A> extends SimpleForwardingClientCallListener<A> {
    private final ClientCall<?, A> call;
    private boolean lost;

    Loser(ClientCall.Listener<A> listener, ClientCall<?, A> call) {
      super(listener);
      this.call = call;
    }

    @Override
    public void onMessage(A answer) {
      lost = true;
      call.cancel("the answer is lost", null);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      Status seen = lost ? Status.UNAVAILABLE.withDescription("the answer was lost") : status;
      super.onClose(seen, trailers);
    }
  }
}
