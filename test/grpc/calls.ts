/** @grpc/grpc-js on both ends: a service of bytes with every type of call. */
import {
  type CallOptions,
  Client,
  credentials,
  type Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';

const same = (bytes: Buffer): Buffer => bytes;

function method(name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/test.v1.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

export const METHODS = {
  unary: method('Unary', false, false),
  collect: method('Collect', true, false),
  spread: method('Spread', false, true),
  chat: method('Chat', true, true),
};

export const SIZES = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

/** Port of a server with these methods. */
export async function serve(methods: UntypedServiceImplementation): Promise<{ port: number; server: Server }> {
  const server = new Server(SIZES);
  server.addService(METHODS, methods);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  onTestFinished(() => server.forceShutdown());
  return { port, server };
}

export class Caller {
  readonly client: Client;

  constructor(port: number) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), SIZES);
    onTestFinished(() => this.client.close());
  }

  unary(message: Buffer, metadata: Metadata, options: CallOptions = {}) {
    const { path, requestSerialize, responseDeserialize } = METHODS.unary;
    let told: { answer: Buffer | undefined; code: number | undefined; details: string | undefined } | undefined;
    let head: Metadata | undefined;
    let trailers: Metadata | undefined;
    const call = this.client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      metadata,
      options,
      (error, answer) => {
        told = { answer, code: error?.code, details: error?.details };
      },
    );
    call.on('metadata', (value) => {
      head = value;
    });
    call.on('status', (status) => {
      trailers = status.metadata;
    });
    return { call, told: () => told, head: () => head, trailers: () => trailers };
  }

  chat(metadata: Metadata, options: CallOptions = {}) {
    const { path, requestSerialize, responseDeserialize } = METHODS.chat;
    return this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, options);
  }

  spread(message: Buffer, metadata: Metadata, options: CallOptions = {}) {
    const { path, requestSerialize, responseDeserialize } = METHODS.spread;
    return this.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, message, metadata, options);
  }

  collect(metadata: Metadata, onAnswer: (answer: Buffer | undefined) => void) {
    const { path, requestSerialize, responseDeserialize } = METHODS.collect;
    return this.client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata,
      (_error, answer) => onAnswer(answer),
    );
  }
}
