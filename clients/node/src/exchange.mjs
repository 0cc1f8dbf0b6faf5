// SPDX-License-Identifier: Apache-2.0
// The main job by an independent client: number a dummy person at two bodies, acquire codes, register a replica at one,
// inquire from the other, read the records. Usage: node src/exchange.mjs HOST:PORT; prints one JSON object.
import { Chukan, reasonOf } from './client.mjs';

const SHINJUKU = '0220113104101700';
const SETAGAYA = '0220113112101700';
const INFORMATION = 'TM00000000000002'; // 地方税関係情報
const AFFAIR = 'JM01000000121000';
const PROCEDURE = 'JT01010000000214';
const target = process.argv[2];
const person = JSON.parse(process.argv[3]); // {individual_number, items: {code: value}, edition}
const run = `${process.pid}`;

async function numbered(body, localNumber) {
  const [registered] = await body.exchange('address', 'RegisterPeople', [{
    batch_id: `people-${run}`,
    number_system: '01',
    local_address_numbers: [localNumber],
    individual_numbers: [person.individual_number],
    names: ['試験　花子'],
    kana_names: ['シケン　ハナコ'],
    birth_dates: ['19900401'],
    sexes: ['2'],
    residential_addresses: ['東京都新宿区歌舞伎町１丁目４番１号'],
    resident_kinds: ['RESIDENT_KIND_JAPANESE'],
    resident_states: ['RESIDENT_STATE_RESIDENT'],
  }]);
  const number = registered.integrated_address_numbers[0];
  if (!number) throw new Error(`not numbered: ${JSON.stringify(registered)}`);
  return number;
}

async function linked(body, number) {
  await body.exchange('linkageCodes', 'RegisterAddressees', [
    { batch_id: `addressees-${run}`, integrated_address_numbers: [number] },
  ]);
  await body.call('linkageCodes', 'RequestCode', { integrated_address_number: number });
  const issued = await body.watch('linkageCodes', 'WatchLinkageStates', {}, (response) =>
    response.linkage_statuses.find((one) =>
      one.integrated_address_number === number && one.state === 'LINKAGE_STATE_PROCESSING_NUMBER_ISSUED'));
  await body.call('address', 'SubmitProcessingNumbers', {
    batch_id: `submit-${run}`,
    integrated_address_numbers: [number],
    processing_numbers: [issued.processing_number],
  });
  return body.watch('linkageCodes', 'WatchLinkageStates', {}, (response) =>
    response.linkage_statuses.find((one) =>
      one.integrated_address_number === number &&
      ['LINKAGE_STATE_LINKED', 'LINKAGE_STATE_FAILED'].includes(one.state)));
}

async function contents(body, receipts) {
  const results = [];
  for (let remaining = receipts; remaining.length > 0;) { // large answers come in several responses
    const answer = await body.call('inquiries', 'GetInquiryResults', { receipt_numbers: remaining });
    results.push(...answer.results);
    remaining = answer.remaining_receipt_numbers;
  }
  return results;
}

async function inquired(body, number, affair) {
  const { inquiry } = await body.call('inquiries', 'CreateInquiry', {
    inquiry: {
      record_id: `node-${run}-${affair}`,
      integrated_address_number: number,
      nondisclosure_code: '1',
      affair_code: affair,
      procedure_code: PROCEDURE,
      provider_code: SHINJUKU,
      information_code: INFORMATION,
      condition_kind: '0',
      year_kind: '0',
      period: person.period,
    },
  });
  if (inquiry.state === 'INQUIRY_STATE_REFUSED') return { inquiry, results: [] };
  const finished = await body.watch('inquiries', 'WatchInquiries', { finished_only: true }, (response) =>
    response.inquiries.find((one) => one.receipt_number === inquiry.receipt_number));
  return { inquiry: finished, results: await contents(body, [inquiry.receipt_number]) };
}

const shinjuku = new Chukan(target, SHINJUKU);
const setagaya = new Chukan(target, SETAGAYA);
try {
  await shinjuku.exchange('residentNetwork', 'NotifyResidents', [{
    batch_id: `residents-${run}`,
    individual_numbers: [person.individual_number],
    resident_record_codes: ['99900000011'],
    names: ['試験　花子'],
    birth_dates: ['19900401'],
    sexes: ['2'],
    residential_addresses: ['東京都新宿区歌舞伎町１丁目４番１号'],
  }]);
  const former = await numbered(shinjuku, '000000000000001');
  const present = await numbered(setagaya, '000000000000002');
  const links = [await linked(shinjuku, former), await linked(setagaya, present)];
  const [registered] = await shinjuku.exchange('replicas', 'RegisterReplicas', [{
    batch_id: `tax-${run}`,
    header: { mode: 'MODE_TEST', source_system: 'node-example' },
    information_code: INFORMATION,
    data_set: '0100',
    edition: person.edition,
    record_ids: [`node-${run}-1`],
    integrated_address_numbers: [former],
    record_keys: [person.record_key],
    start_dates: [person.period.start_date],
    end_dates: [person.period.end_date],
    items: Object.entries(person.items).map(([item_code, value]) => ({ item_code, values: [value] })),
  }]);
  const answered = await inquired(setagaya, present, AFFAIR);
  const refused = await inquired(setagaya, present, 'JM99999999999999');
  const { records } = await setagaya.call('records', 'ListExchangeRecords', {});
  const failure = await setagaya
    .call('linkageCodes', 'RequestCode', { integrated_address_number: '900000000099999' })
    .then(() => '', reasonOf);
  console.log(JSON.stringify({ links, registered, answered, refused, records, failure }));
} finally {
  shinjuku.close();
  setagaya.close();
}
