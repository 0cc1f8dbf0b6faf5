// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.LocalizedMessage;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a call that failed says about itself, read from the details of google.rpc.Status.
 *
 * @param code the gRPC status code
 * @param reason stable reason (理由コード) of docs/reference/reasons.md; empty if the server sent
 *     none, e.g. because it was never reached
 * @param sentences the sentence for people, by language ("en", "ja")
 * @param fields paths of the fields at fault
 */
record Failure(
    Status.Code code, String reason, Map<String, String> sentences, List<String> fields) {

  static Failure of(StatusException thrown) {
    String reason = "";
    Map<String, String> sentences = new TreeMap<>();
    List<String> fields = new ArrayList<>();
    try {
      for (Any detail : StatusProto.fromThrowable(thrown).getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          reason = detail.unpack(ErrorInfo.class).getReason();
        } else if (detail.is(LocalizedMessage.class)) {
          LocalizedMessage sentence = detail.unpack(LocalizedMessage.class);
          sentences.put(sentence.getLocale(), sentence.getMessage());
        } else if (detail.is(BadRequest.class)) {
          detail
              .unpack(BadRequest.class)
              .getFieldViolationsList()
              .forEach(violation -> fields.add(violation.getField()));
        }
      }
    } catch (InvalidProtocolBufferException unreadable) {
      reason = "";
    }
    return new Failure(thrown.getStatus().getCode(), reason, sentences, fields);
  }
}
