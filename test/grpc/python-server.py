# An independent gRPC server (Debian's python3-grpcio): says its port, and a line for every call that waits and that its client gave up.
import threading
from concurrent import futures

import grpc



def act(word, context):
    """What a message asks for besides its echo."""
    if word == b"fail":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as told: \u00e9")
    if word == b"wait":
        print("waits", flush=True)
        over = threading.Event()
        context.add_callback(over.set)
        over.wait(20)
        print("gone", flush=True)


def unary(request, context):
    sent = [(key, value) for key, value in context.invocation_metadata() if key in ("x-text", "x-bin-bin")]
    context.send_initial_metadata(sent)
    context.set_trailing_metadata([(f"x-tail-{key[2:]}", value) for key, value in sent])
    act(request, context)
    return request


def spread(request, context):
    for word in request.split():
        act(word, context)
        yield word


def collect(requests, context):
    return b"".join(requests)


def chat(requests, context):
    for request in requests:
        act(request, context)
        yield request


handlers = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Spread": grpc.unary_stream_rpc_method_handler(spread),
    "Collect": grpc.stream_unary_rpc_method_handler(collect),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
}
server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=[
    ("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.v1.Echo", handlers)])
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
