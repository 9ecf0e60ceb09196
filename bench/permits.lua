-- Asks for permits for wrk: each under an Idempotency-Key of its own, drawn at random as senders draw theirs.
local format, random = string.format, math.random
local headers = {["Content-Type"] = "application/json"}

function init()
    math.randomseed(tonumber(os.getenv("SEED")))
    for name, value in pairs(wrk.headers) do headers[name] = value end
end

function request()
    headers["Idempotency-Key"] = format("%08x-%08x-%08x", random(0, 0x7fffffff), random(0, 0x7fffffff), random(0, 0x7fffffff))
    local body = format('{"gate":"default","audience":%d,"campaign":"campaign-%d"}', random(1, 100), random(1, 10))
    return wrk.format("POST", nil, headers, body)
end
