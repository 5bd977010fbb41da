/** One DNS question to one server: by UDP, and by TCP when the answer does not fit (RFC 1035, RFC 7766, EDNS of RFC 6891). */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import packet, { type DecodedPacket, type OptAnswer, type RecordType } from 'dns-packet';
import type { Endpoint } from '../../domain/snapshot.ts';

/** What passes nearly everywhere unfragmented (DNS flag day 2020). */
const UDP_BYTES = 1232;
const HEAD_BYTES = 2;

const EDNS: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: UDP_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

/** @throws Error in words, without the server's address, when it does not answer within the time or answers what cannot be read */
export async function askServer(
  server: Endpoint,
  name: string,
  type: RecordType,
  timeoutMs: number,
): Promise<DecodedPacket> {
  const id = randomInt(65_536);
  const query = packet.encode({
    type: 'query',
    id,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type, name, class: 'IN' }],
    additionals: [EDNS],
  });
  const answers = (answer: DecodedPacket): boolean =>
    answer.type === 'response' && answer.id === id && answer.questions?.[0]?.name.toLowerCase() === name.toLowerCase();
  const answer = await overUdp(server, query, timeoutMs, answers);
  if (!answer.flag_tc) return answer;
  const whole = await overTcp(server, query, timeoutMs);
  if (!answers(whole)) throw new Error('answered another question');
  return whole;
}

function overUdp(
  { host, port }: Endpoint,
  query: Buffer,
  timeoutMs: number,
  answers: (answer: DecodedPacket) => boolean,
): Promise<DecodedPacket> {
  // A socket of its own has a port of its own, which whoever wants to forge an answer has to guess.
  const socket = createSocket(isIPv6(host.replace(/%.*/, '')) ? 'udp6' : 'udp4');
  return new Promise<DecodedPacket>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`did not answer within ${timeoutMs} ms`)), timeoutMs);
    socket.once('close', () => clearTimeout(timer));
    socket.on('error', (error) => reject(new Error(`cannot be asked: ${error.message}`)));
    socket.on('message', (bytes) => {
      const answer = decoded(bytes);
      // What does not fit may be forged or late: the right answer can still come.
      if (answer !== undefined && answers(answer)) resolve(answer);
    });
    socket.connect(port, host, () => socket.send(query));
  }).finally(() => socket.close());
}

function overTcp({ host, port }: Endpoint, query: Buffer, timeoutMs: number): Promise<DecodedPacket> {
  const socket = connect({ host, port });
  return new Promise<DecodedPacket>((resolve, reject) => {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt16BE(query.length);
    let read = Buffer.alloc(0);
    socket.setTimeout(timeoutMs, () => reject(new Error(`did not answer within ${timeoutMs} ms by TCP`)));
    socket.once('error', (error) => reject(new Error(`cannot be asked by TCP: ${error.message}`)));
    socket.once('close', () => reject(new Error('closed the TCP connection before the answer')));
    socket.on('data', (bytes) => {
      read = Buffer.concat([read, bytes]);
      if (read.length < HEAD_BYTES || read.length < HEAD_BYTES + read.readUInt16BE()) return;
      const answer = decoded(read.subarray(HEAD_BYTES, HEAD_BYTES + read.readUInt16BE()));
      if (answer === undefined) reject(new Error('sent an answer that cannot be read'));
      else resolve(answer);
    });
    socket.write(Buffer.concat([head, query]));
  }).finally(() => socket.destroy());
}

function decoded(bytes: Buffer): DecodedPacket | undefined {
  try {
    return packet.decode(bytes);
  } catch {
    return undefined;
  }
}
