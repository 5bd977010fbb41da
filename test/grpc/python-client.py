# An independent gRPC client (Debian's python3-grpcio): makes every kind of call to the port given and prints what came of each as JSON.
import json
import sys
import threading

import grpc

channel = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}", options=[
    ("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
told = {}


def failure(error):
    return [error.code().name, error.details()]


unary = channel.unary_unary("/test.v1.Echo/Unary")
spread = channel.unary_stream("/test.v1.Echo/Spread")
collect = channel.stream_unary("/test.v1.Echo/Collect")
chat = channel.stream_stream("/test.v1.Echo/Chat")

told["unary"] = unary(b"hello").decode()
told["empty"] = unary(b"").decode()
told["spread"] = [message.decode() for message in spread(b"a b c")]
told["collect"] = collect(iter([b"x", b"y", b"z"])).decode()
told["chat"] = [message.decode() for message in chat(iter([b"1", b"2", b"3"]))]

large = bytes(range(256)) * 16384
told["large"] = unary(large) == large

answer, call = unary.with_call(b"meta", metadata=[("x-text", "one"), ("x-bin-bin", b"\x00\xff\x01")])
told["metadata"] = {
    "head": sorted((key, value if isinstance(value, str) else value.hex()) for key, value in call.initial_metadata()
                   if key.startswith("x-")),
    "trailers": sorted((key, value if isinstance(value, str) else value.hex()) for key, value in call.trailing_metadata()
                       if key.startswith("x-")),
}

for name in ("fail", "fail-late", "nobody"):
    try:
        if name == "nobody":
            channel.unary_unary("/test.v1.Nobody/Unary")(b"")
        elif name == "fail":
            unary(b"fail")
        else:
            told["before"] = []
            for message in spread(b"first fail"):
                told["before"].append(message.decode())
    except grpc.RpcError as error:
        told[name] = failure(error)

try:
    unary(b"wait", timeout=0.3)
except grpc.RpcError as error:
    told["deadline"] = error.code().name

stream = chat(iter([b"wait"]))
threading.Timer(0.2, stream.cancel).start()
try:
    next(stream)
except grpc.RpcError as error:
    told["cancelled"] = error.code().name

# Many at a time on one connection.
futures = [unary.future(str(i).encode(), timeout=30) for i in range(300)]
told["many"] = [future.result().decode() for future in futures] == [str(i) for i in range(300)]

print(json.dumps(told))
