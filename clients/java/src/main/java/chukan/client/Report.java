// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import java.io.PrintStream;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** Prints a line per step, checks what was expected, and ends with one line of JSON. */
final class Report {
  /** What was got is not what was expected. */
  static final class Differs extends Exception {
    private static final long serialVersionUID = 1L;

    Differs(String message) {
      super(message);
    }
  }

  private final PrintStream out;
  private final Map<String, Object> facts = new LinkedHashMap<>();

  Report(PrintStream out) {
    this.out = out;
  }

  void step(int number, String sentence) {
    out.println(number + "  " + sentence);
  }

  /** Keeps a fact for the JSON: a number, a boolean, a collection of facts, else its text. */
  void note(String name, Object fact) {
    facts.put(name, fact);
  }

  /** Keeps the fact and goes on only if it is the expected one. */
  void expect(String name, Object expected, Object got) throws Differs {
    note(name, got);
    if (!Objects.equals(expected, got)) {
      throw new Differs(name + ": got " + got + ", expected " + expected);
    }
  }

  String json() {
    return facts.entrySet().stream()
        .map(fact -> quoted(fact.getKey()) + ": " + value(fact.getValue()))
        .collect(Collectors.joining(", ", "{", "}"));
  }

  private static String value(Object fact) {
    if (fact instanceof Collection<?> many) {
      return many.stream().map(Report::value).collect(Collectors.joining(", ", "[", "]"));
    }
    return fact instanceof Number || fact instanceof Boolean
        ? fact.toString()
        : quoted(String.valueOf(fact));
  }

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char one : text.toCharArray()) {
      if (one == '"' || one == '\\') {
        json.append('\\').append(one);
      } else if (one < ' ') {
        json.append("\\u%04x".formatted((int) one));
      } else {
        json.append(one);
      }
    }
    return json.append('"').toString();
  }
}
