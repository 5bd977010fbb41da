/** A name server that answers as the test says, by UDP and TCP on one port. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import packet, { type Answer } from 'dns-packet';

export interface Reply {
  readonly answers?: readonly Answer[];
  readonly additionals?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly rcode?: number;
  /** Only said by UDP: the whole stands in the TCP answer. */
  readonly truncated?: true;
}

export const NXDOMAIN = 3;
export const SERVFAIL = 2;

export class DnsServer {
  /** `TYPE name`, and whether by TCP. */
  readonly asked: { question: string; tcp: boolean }[] = [];
  /** By `TYPE name`; null: no answer at all. */
  readonly zone = new Map<string, Reply | null>();
  port = 0;
  readonly #udp: UdpSocket = createSocket('udp4');
  readonly #tcp: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      const answer = this.#answer(bytes.subarray(2), true);
      if (answer === null) return;
      const head = Buffer.alloc(2);
      head.writeUInt16BE(answer.length);
      // In two parts, as a network may.
      socket.write(Buffer.concat([head, answer.subarray(0, 9)]), () => socket.end(answer.subarray(9)));
    });
  });

  async start(): Promise<this> {
    this.#tcp.listen(0, '127.0.0.1');
    await once(this.#tcp, 'listening');
    this.port = (this.#tcp.address() as AddressInfo).port;
    this.#udp.bind(this.port, '127.0.0.1');
    await once(this.#udp, 'listening');
    this.#udp.on('message', (bytes, { port }) => {
      const answer = this.#answer(bytes, false);
      if (answer !== null) this.#udp.send(answer, port, '127.0.0.1');
    });
    return this;
  }

  #answer(query: Buffer, tcp: boolean): Buffer | null {
    const { id = 0, questions = [] } = packet.decode(query);
    const question = `${questions[0]?.type} ${questions[0]?.name}`;
    this.asked.push({ question, tcp });
    const reply = this.zone.get(question) ?? (this.zone.has(question) ? null : { rcode: NXDOMAIN });
    if (reply === null) return null;
    const cut = reply.truncated && !tcp;
    return packet.encode({
      type: 'response',
      id,
      flags: packet.RECURSION_AVAILABLE | (reply.rcode ?? 0) | (cut ? packet.TRUNCATED_RESPONSE : 0),
      questions,
      answers: cut ? [] : [...(reply.answers ?? [])],
      additionals: cut ? [] : [...(reply.additionals ?? [])],
      authorities: [...(reply.authorities ?? [])],
    });
  }

  stop(): void {
    this.#udp.close();
    this.#tcp.close();
  }
}
