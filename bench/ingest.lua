-- Bodies of BATCH observations for wrk. Every observation is new: 50 queues, one source per run, times a millisecond apart.
local batch = tonumber(os.getenv("BATCH"))
local begin = tonumber(os.getenv("BEGIN"))
local source = os.getenv("SOURCE")
local queues, sent = 50, 0
local format, date = string.format, os.date

local function observation(index)
    local step = math.floor(index / queues)
    local at = date("!%Y-%m-%dT%H:%M:%S", begin + math.floor(step / 1000))
    return format(
        '{"queue":"queue-%d","source":"%s","observed_at":"%s.%03dZ","backlog":%d,"oldest_wait_seconds":%d.5,' ..
        '"agents_staffed":40,"agents_available":3,"agents_busy":36}',
        index % queues, source, at, step % 1000, index % 7, index % 31)
end

local headers = {["Content-Type"] = "application/json"}

function init()
    for name, value in pairs(wrk.headers) do headers[name] = value end
end

function request()
    if batch == 1 then
        sent = sent + 1
        return wrk.format("POST", nil, headers, observation(sent))
    end
    local items = {}
    for place = 1, batch do items[place] = observation(sent + place) end
    sent = sent + batch
    return wrk.format("POST", nil, headers, "[" .. table.concat(items, ",") .. "]")
end
