/** What an exchange knows of the gRPC call that it carries, if it is one. One an exchange. */
import type { Fields } from '../fields.ts';
import { AddedFields } from './added-fields.ts';
import { formatGrpcTimeout, grpcStatus, grpcTimeoutMs, grpcType, hasTrailers } from './grpc.ts';
import type { OutboundHalf, RequestView } from './halves.ts';

/** How much earlier than ours a client's clock may say that its deadline has passed: about the way of its request to us. */
const DEADLINE_SLACK_MS = 20;

export class GrpcCall {
  /** Content type; null: the request is no gRPC call. */
  type: string | null = null;
  /** What the response has said of its status so far. */
  status: number | undefined;
  /** When the client gives the call up, by the runtime's clock; infinite: never. */
  deadlineMs = Number.POSITIVE_INFINITY;

  /** For the next request. */
  begin(request: RequestView): void {
    this.type = grpcType(request);
    this.status = undefined;
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  startDeadline(request: RequestView, nowMs: number): void {
    this.deadlineMs = nowMs + grpcTimeoutMs(request.fields);
  }

  get hasDeadline(): boolean {
    return this.deadlineMs !== Number.POSITIVE_INFINITY;
  }

  /** A client whose deadline has passed leaves a little before we see it pass: its backend was too slow. */
  isLate(nowMs: number): boolean {
    return nowMs >= this.deadlineMs - DEADLINE_SLACK_MS;
  }

  /** A head or trailers have come. */
  read(fields: Fields): void {
    this.status = grpcStatus(fields) ?? this.status;
  }

  /** Whether its status comes in trailers: of gRPC-Web it stands in the body, where it is not looked for. */
  get needsTrailers(): boolean {
    return this.type !== null && hasTrailers(this.type);
  }

  /** Whether its status says what became of it. */
  get tellsStatus(): boolean {
    return this.needsTrailers || this.status !== undefined;
  }

  /** A backend is told how much of the client's time is left. */
  sendHead(
    outbound: OutboundHalf,
    request: RequestView,
    forwarding: AddedFields,
    droppedNames: readonly string[] | null,
    nowMs: number,
  ): void {
    const added = new AddedFields([...forwarding.flat, 'grpc-timeout', formatGrpcTimeout(this.deadlineMs - nowMs)]);
    outbound.sendHead(request, added, [...(droppedNames ?? []), 'grpc-timeout']);
  }
}
