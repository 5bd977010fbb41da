/** gRPC clients that know what is to come back: short calls as fast as answers come, and streams that last. */
import { Client, type ClientDuplexStream, credentials, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { METHODS } from '../grpc/calls.ts';

const CONNECTIONS = 8;
const CALLS = 16;
const STREAMS = 10;
/** Between an echo and the next message of a stream. */
const PAUSE_MS = 10;

export interface GrpcTally {
  readonly calls: number;
  readonly messages: number;
  /** Of either, each kind once. */
  readonly failures: readonly string[];
}

export class GrpcTraffic {
  readonly #clients: Client[];
  readonly #streams: Promise<void>[];
  readonly #loops: Promise<void>[];
  readonly #failures = new Set<string>();
  #calls = 0;
  #messages = 0;
  #stopped = false;

  constructor(address: string) {
    // A pool of their own makes each a connection of its own.
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    this.#clients = Array.from(
      { length: CONNECTIONS },
      () => new Client(address, credentials.createInsecure(), options),
    );
    this.#streams = Array.from({ length: STREAMS }, (_, i) => this.#talk(this.#clients[i % CONNECTIONS] as Client));
    this.#loops = this.#clients.flatMap((client) => Array.from({ length: CALLS }, (_, i) => this.#loop(client, i)));
  }

  get calls(): number {
    return this.#calls;
  }

  get messages(): number {
    return this.#messages;
  }

  async #loop(client: Client, lane: number): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = METHODS.unary;
    while (!this.#stopped) {
      const message = Buffer.from(`${lane} ${this.#calls}`);
      await new Promise<void>((resolve) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error, answer) => {
          if (error !== null) this.#failures.add(`call: ${error.code} ${error.details}`);
          else if (answer?.equals(message) !== true) this.#failures.add('call: another answer');
          this.#calls++;
          resolve();
        });
      });
    }
  }

  /** Sends a number each time that the last has come back, until it is stopped. */
  #talk(client: Client): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = METHODS.chat;
    const chat: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
    );
    let next = 0;
    chat.write(Buffer.from('0'));
    chat.on('data', (message: Buffer) => {
      if (message.toString() !== String(next)) this.#failures.add(`stream: ${message.toString()} instead of ${next}`);
      this.#messages++;
      next++;
      if (this.#stopped) chat.end();
      else setTimeout(() => chat.write(Buffer.from(String(next))), PAUSE_MS);
    });
    chat.on('error', () => undefined);
    return new Promise((resolve) => {
      chat.on('status', ({ code, details }: StatusObject) => {
        if (code !== status.OK) this.#failures.add(`stream after ${next}: ${code} ${details}`);
        resolve();
      });
    });
  }

  async stop(): Promise<GrpcTally> {
    this.#stopped = true;
    await Promise.all([...this.#loops, ...this.#streams]);
    for (const client of this.#clients) client.close();
    return { calls: this.#calls, messages: this.#messages, failures: [...this.#failures] };
  }
}
