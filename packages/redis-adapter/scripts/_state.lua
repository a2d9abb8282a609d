-- Of every object whose state is small and on which calls wait. A noun's own script follows; it ends with `return run(noun)`.
-- S its state (a hash), 'id' and 'gen' in it · Q the line of those who wait: request id by ticket · I hash: request id -> "want holder"
-- A hash: request id -> answer that its program has not confirmed. Asked again with the same id, that is what it hears.
-- ARGV self wake tag life operation, then that one's own.
local S, Q, I, A = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local self, wake, tag, life, op = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local own = {}

local function sid(rid)
  return string.match(rid, '^[^/]+')
end

local function get(field)
  return redis.call('HGET', S, field)
end

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000000 + t[2]
end

-- Those who wait, first to last.
local function line()
  return redis.call('ZRANGE', Q, 0, -1)
end

-- What it wants, and whom it is for, as JSON.
local function about(rid)
  return string.match(redis.call('HGET', I, rid) or '', '^(%S*) ?(.*)$')
end

-- It stands in line from now on.
local function stand(q)
  redis.call('ZADD', Q, redis.call('HINCRBY', S, 'tickets', 1), q.rid)
  redis.call('HSET', I, q.rid, q.want .. ' ' .. q.holder)
end

-- The request has waited long enough: its program is told, and hears it again if the message is lost. The one that asks right now (its id
-- is the sixth argument then) needs no message.
local function settle(rid, answer)
  redis.call('ZREM', Q, rid)
  redis.call('HDEL', I, rid)
  redis.call('HSET', A, rid, answer)
  if rid == ARGV[6] then return end
  if sid(rid) == self then own[#own + 1] = 'a ' .. rid .. ' ' .. answer
  else redis.call('PUBLISH', wake .. sid(rid), 'a ' .. tag .. ' ' .. rid .. ' ' .. answer) end
end

local function settleAll(answer)
  for _, rid in ipairs(line()) do settle(rid, answer) end
end

-- Who asks again after this hears that something has happened since.
local function turn()
  redis.call('HINCRBY', S, 'gen', 1)
end

local function mark()
  return (get('id') or '') .. ':' .. (get('gen') or '0')
end

-- Whether the object is still the one of that mark, and has turned since.
local function turned(before)
  local id = string.match(before, '^%d+:')
  return id and id == string.match(mark(), '^%d+:') and before ~= mark()
end

-- Programs that stand in line or have not confirmed an answer, this one's left out: so many at most, the rest comes when these are gone.
local function others()
  local seen, list = {[self] = true}, {}
  local function add(rid)
    local s = sid(rid)
    if not seen[s] and #list < 64 then
      seen[s] = true
      list[#list + 1] = s
    end
  end
  for _, rid in ipairs(redis.call('ZRANGE', Q, 0, 255)) do add(rid) end
  if redis.call('HLEN', A) <= 256 then
    for _, rid in ipairs(redis.call('HKEYS', A)) do add(rid) end
  end
  return list
end

-- Takes a request back, wherever it is.
local function take(noun, rid, why)
  local answer = redis.call('HGET', A, rid)
  if answer then
    redis.call('HDEL', A, rid)
    if noun.undo then noun.undo(rid, answer, why) end
    return 1
  end
  local want, holder = about(rid)
  redis.call('HDEL', I, rid)
  if redis.call('ZREM', Q, rid) == 0 then return 0 end
  if noun.left then noun.left(rid, want, why, holder) end
  return 1
end

-- How the request `rid` stands: what it hears if it was answered, else whether it stands in line. `former` are the ids under which it was
-- asked before a loss: what it had under one of them is its own.
local function known(rid, former)
  for before in string.gmatch(former, '%S+') do
    local answer = redis.call('HGET', A, before)
    if answer then
      redis.call('HDEL', A, before)
      redis.call('HSET', A, rid, answer)
    end
    local ticket = redis.call('ZSCORE', Q, before)
    if ticket then
      redis.call('ZADD', Q, ticket, rid)
      redis.call('HSET', I, rid, redis.call('HGET', I, before))
      redis.call('ZREM', Q, before)
      redis.call('HDEL', I, before)
    end
  end
  return redis.call('HGET', A, rid), redis.call('ZSCORE', Q, rid)
end

local function make(shape)
  if not get('shape') then redis.call('HSET', S, 'shape', shape, 'id', string.format('%.0f', now())) end
end

-- rid mode former mark shape want holder, then the noun's
-- -> {'a', answer, '1' kept} | {'w', mark, sids…} in line | {'n', sids…} not now | {'s', its shape} of another shape | {'x'} gone
-- The noun's operation is given a table q of these, and gives an answer, or nothing if the request has to wait.
-- mode: 'read' changes nothing, 'do' is done at once, 'wait' and 'poll' may have to wait
local function ask(noun)
  local rid, mode, former, before, shape, want, holder = unpack(ARGV, 6, 12)
  local q = {rid = rid, mode = mode, mark = before, want = want, holder = holder, shape = shape, args = {unpack(ARGV, 13)}}
  local there = get('shape')
  if not there and life == 'other' then return {'x'} end
  if there and there ~= shape then return {'s', there} end
  if mode ~= 'read' then
    local answer, waits = known(rid, former)
    if answer then return {'a', answer, '1'} end
    make(shape)
    if waits then return {'w', mark(), unpack(others())} end
  end
  -- An answer that has changed something is kept until it has been heard.
  local answer, changed = noun[op](q)
  if answer then
    local keep = mode == 'do' or changed
    if keep then redis.call('HSET', A, rid, answer) end
    return {'a', answer, keep and '1' or '0'}
  end
  local list = others()
  if not redis.call('ZSCORE', Q, rid) then
    if mode ~= 'wait' then return {'n', unpack(list)} end
    stand(q)
  end
  return {'w', mark(), unpack(list)}
end

-- Each script gives {outcome, messages for the caller's own program}.
local function run(noun)
  if op == 'make' then
    -- shape: it begins to be there
    make(ARGV[6])
    return {1, own}
  elseif op == 'confirm' then
    -- rid…
    for i = 6, #ARGV do redis.call('HDEL', A, ARGV[i]) end
    return {1, own}
  elseif op == 'leave' then
    -- why rid…: given up by who asked
    local n = 0
    for i = 7, #ARGV do n = n + take(noun, ARGV[i], ARGV[6]) end
    return {n, own}
  elseif op == 'reap' then
    -- sid…: what dead programs cannot give up themselves
    local dead, n = {}, 0
    for i = 6, #ARGV do dead[ARGV[i]] = true end
    for _, rids in ipairs({redis.call('HKEYS', A), line()}) do
      for _, rid in ipairs(rids) do
        if dead[sid(rid)] then n = n + take(noun, rid, '') end
      end
    end
    if noun.reaped then noun.reaped(dead) end
    return {n, own}
  elseif op == 'destroy' then
    -- by whom
    local told = {[self] = true}
    for _, rids in ipairs({line(), redis.call('HKEYS', A)}) do
      for _, rid in ipairs(rids) do
        local s = sid(rid)
        if not told[s] then redis.call('PUBLISH', wake .. s, 'x ' .. tag .. ' ' .. ARGV[6]) end
        told[s] = true
      end
    end
    return {redis.call('DEL', S, Q, I, A), own}
  end
  return {ask(noun), own}
end
