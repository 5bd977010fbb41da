-- Arguments after `--`: method, body bytes, users. Prints the run's exact counts as one JSON line.
local requests = {}
local last = 0

function init(args)
  wrk.method = args[1]
  if tonumber(args[2]) > 0 then wrk.body = string.rep("x", tonumber(args[2])) end
  for user = 1, tonumber(args[3]) do
    requests[user] = wrk.format(nil, nil, { ["Host"] = wrk.headers["Host"], ["x-user"] = tostring(user) })
  end
  -- One request for all needs no function, which costs.
  if #requests > 0 then
    request = function()
      last = last % #requests + 1
      return requests[last]
    end
  end
end

function done(summary)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"bytes":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
    summary.requests, summary.duration, summary.bytes, e.connect, e.read, e.write, e.status, e.timeout))
end
