// SPDX-License-Identifier: Apache-2.0
// A small promise client over @grpc/grpc-js, loaded from the protos of this repository.
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const PROTOS = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../protos');
const FILES = [
  'chukan/v1/linkage_code_service.proto',
  'chukan/v1/replica_service.proto',
  'chukan/v1/inquiry_service.proto',
  'chukan/v1/exchange_record_service.proto',
  'chukan/network/v1/network_service.proto',
  'chukan/network/v1/resident_network_service.proto',
  'chukan/address/v1/address_service.proto',
];

const definition = loader.loadSync(FILES, {
  includeDirs: [PROTOS],
  keepCase: true,
  longs: String,
  enums: String,
  arrays: true, // an empty list is a list, not undefined
  oneofs: true,
});
const contract = grpc.loadPackageDefinition(definition).chukan;

const SERVICES = {
  linkageCodes: contract.v1.LinkageCodeService,
  replicas: contract.v1.ReplicaService,
  inquiries: contract.v1.InquiryService,
  records: contract.v1.ExchangeRecordService,
  network: contract.network.v1.NetworkService,
  residentNetwork: contract.network.v1.ResidentNetworkService,
  address: contract.address.v1.AddressService,
};

/** The reason (google.rpc.ErrorInfo) of a failed call, from its status details. */
export function reasonOf(error) {
  const details = error.metadata?.get('grpc-status-details-bin')?.[0];
  if (!details) return '';
  // ErrorInfo.reason is the first field of the detail; its text stands readable in the bytes.
  const found = details.toString('latin1').match(/google\.rpc\.ErrorInfo\x12.{1,3}?\n.([A-Z][A-Z0-9_]+)/s);
  return found ? found[1] : '';
}

/** One organization's view of an emulator. */
export class Chukan {
  constructor(target, organization, { deadlineSeconds = 20 } = {}) {
    this.metadata = new grpc.Metadata();
    this.metadata.set('chukan-organization', organization);
    this.metadata.set('chukan-system', 'node-example');
    this.deadlineSeconds = deadlineSeconds;
    for (const [name, Service] of Object.entries(SERVICES)) {
      this[name] = new Service(target, grpc.credentials.createInsecure());
    }
  }

  options() {
    return { deadline: Date.now() + this.deadlineSeconds * 1000 };
  }

  /** A unary call. */
  call(service, method, request) {
    return new Promise((resolve, reject) => {
      this[service][method](request, this.metadata, this.options(), (error, response) =>
        error ? reject(error) : resolve(response));
    });
  }

  /** Sends messages on a bidi stream, closes the sending side, gathers the responses. */
  exchange(service, method, requests) {
    return new Promise((resolve, reject) => {
      const stream = this[service][method](this.metadata, this.options());
      const responses = [];
      stream.on('data', (response) => responses.push(response));
      stream.on('error', reject);
      stream.on('end', () => resolve(responses));
      for (const request of requests) stream.write(request);
      stream.end();
    });
  }

  /** Follows a server stream until `done` says so, then cancels it. */
  watch(service, method, request, done) {
    return new Promise((resolve, reject) => {
      const stream = this[service][method](request, this.metadata, this.options());
      let found;
      stream.on('data', (response) => {
        found ??= done(response);
        if (found !== undefined) stream.cancel();
      });
      stream.on('error', (error) =>
        found !== undefined && error.code === grpc.status.CANCELLED ? resolve(found) : reject(error));
      stream.on('end', () => (found !== undefined ? resolve(found) : reject(new Error('the watch ended early'))));
    });
  }

  close() {
    for (const name of Object.keys(SERVICES)) this[name].close();
  }
}
