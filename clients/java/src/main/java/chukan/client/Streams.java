// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;

/** One batch over a stream: the server answers each batch, in order, once it is durable. */
final class Streams {
  private Streams() {}

  /** Sends one batch and waits for its answer. Many batches are written and read alike, in turn. */
  static <Q, A> A sendOne(BlockingClientCall<Q, A> stream, Q batch)
      throws StatusException, InterruptedException {
    stream.write(batch);
    stream.halfClose();
    A answer = stream.read();
    if (answer == null || stream.read() != null) {
      throw Status.INTERNAL.withDescription("expected one answer to one batch").asException();
    }
    return answer;
  }
}
