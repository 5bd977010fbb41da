# Python's own HPACK (Debian's python3-hpack): a command a line as JSON, an answer a line. Bytes go as hexadecimal digits.
import json
import sys

from hpack import Decoder, Encoder, HeaderTuple, NeverIndexedHeaderTuple

decoders, encoders = {}, {}
for line in sys.stdin:
    command = json.loads(line)
    key = command["connection"]
    if "block" in command:
        decoder = decoders.setdefault(key, Decoder(max_header_list_size=1 << 20))
        fields = decoder.decode(bytes.fromhex(command["block"]), raw=True)
        answer = [part.decode("latin-1") for name, value in fields for part in (name, value)]
    else:
        encoder = encoders.setdefault(key, Encoder())
        if "size" in command:
            encoder.header_table_size = command["size"]
        flat = [part.encode("latin-1") for part in command["fields"]]
        kinds = (NeverIndexedHeaderTuple if n in command["secret"] else HeaderTuple for n in command["fields"][::2])
        fields = [kind(*pair) for kind, *pair in zip(kinds, flat[::2], flat[1::2])]
        answer = encoder.encode(fields, huffman=command["huffman"]).hex()
    print(json.dumps(answer), flush=True)
