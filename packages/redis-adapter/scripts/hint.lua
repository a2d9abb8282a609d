-- The line of those who want a lock of several masters, the holder at its head: who may try next. It carries no safety.
-- KEYS line (sorted set of ids by ticket, the time of asking in µs), deadlines (sorted set of ids)
-- ARGV 'stand' or 'try', id, ms that it stands without a sign of life, ticket that it had on another master or '0'
--   → {1 at the head, 0 behind others; ticket}; 'try' does not stand behind
-- ARGV 'leave', channel prefix, ids… → who is at the head now, or ''
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local function head()
  while true do
    local id = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
    if not id then return nil end
    local deadline = redis.call('ZSCORE', KEYS[2], id)
    if deadline and tonumber(deadline) > now then return id end
    redis.call('ZREM', KEYS[1], id)
    redis.call('ZREM', KEYS[2], id)
  end
end

if ARGV[1] == 'leave' then
  for i = 3, #ARGV do
    redis.call('ZREM', KEYS[1], ARGV[i])
    redis.call('ZREM', KEYS[2], ARGV[i])
  end
  local first = head()
  if not first then return '' end
  redis.call('PUBLISH', ARGV[2] .. string.match(first, '^[^/]+'), first)
  return first
end

local id, ttl, ticket = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local first = head()
if ARGV[1] == 'try' and first and first ~= id then return {0, '0'} end
if ticket == '0' then ticket = redis.call('ZSCORE', KEYS[1], id) or string.format('%.0f', t[1] * 1000000 + t[2]) end
redis.call('ZADD', KEYS[1], 'NX', ticket, id)
redis.call('ZADD', KEYS[2], now + ttl, id)
redis.call('PEXPIRE', KEYS[1], ttl * 2)
redis.call('PEXPIRE', KEYS[2], ttl * 2)
return {head() == id and 1 or 0, redis.call('ZSCORE', KEYS[1], id)}
