// SPDX-License-Identifier: Apache-2.0
package chukan.client;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Somebody who does not exist, as two municipalities hold the person in their registers.
 *
 * <p>Dummy data only: in test mode the emulator refuses individual numbers (個人番号) that do not
 * begin with 999. Never put a real number here.
 */
record DummyPerson(
    String individualNumber,
    String residentRecordCode,
    String localAddressNumber,
    String name,
    String birthDate,
    String sex,
    String residentialAddress) {

  /** Draws somebody new, so that the example can be run again on the same server. */
  static DummyPerson draw() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    String serial = "%08d".formatted(random.nextInt(100_000_000));
    return new DummyPerson(
        withCheckDigit("999" + serial),
        "999" + serial,
        "0000000" + serial,
        "見本　" + "一二三四五六七八九".charAt(random.nextInt(9)) + "郎",
        "%04d%02d%02d"
            .formatted(random.nextInt(1940, 2005), random.nextInt(1, 13), random.nextInt(1, 29)),
        "1",
        "東京都見本市見本町" + random.nextInt(1, 10_000) + "番地");
  }

  /** Appends the check digit of an individual number (検査用数字, 総務省令第85号第5条). */
  private static String withCheckDigit(String elevenDigits) {
    int sum = 0;
    for (int place = 1; place <= 11; place++) { // from the right
      int digit = elevenDigits.charAt(11 - place) - '0';
      sum += digit * (place <= 6 ? place + 1 : place - 5);
    }
    int rest = sum % 11;
    return elevenDigits + (rest <= 1 ? 0 : 11 - rest);
  }
}
