-- Which server this is, as a namespace's sessions know it: asked in each script, since one that was under way when a server died is sent
-- again to the next one.

local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Its run id and role. For one ttl after they have changed nobody is declared dead; nor, unless it has kept all that it was told, granted
-- anything: what it has forgotten is its holders' until their deadlines.
-- met: the masters of a cluster that the caller is connected to, spaces between; '' where there is one server. Each has another name when it has
-- started again, or has become master: a name that is new to the namespace counts as if this server were new, since what was there may be lost.
local function server(run, now, ttl, keeps, met)
  local id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
  local role = string.match(redis.call('INFO', 'replication'), 'role:(%w+)') or ''
  local this = id .. ' ' .. role
  local before = redis.call('HGET', run, 'server')
  local new = before ~= this
  for one in string.gmatch(met, '%S+') do
    if redis.call('HSETNX', run, 'met ' .. one, '1') == 1 then
      redis.call('HINCRBY', run, 'turn', 1)
      new = true
    end
  end
  if new then
    redis.call('HSET', run, 'server', this, 'grace', now + ttl)
    if before and keeps ~= '1' then redis.call('HSET', run, 'grants', now + ttl) end
  end
  redis.call('PEXPIRE', run, ttl * 10)
  local turn = redis.call('HGET', run, 'turn')
  return turn and this .. ' ' .. turn or this
end

-- Milliseconds without grants. lost: a program asks in the name of a session that the server does not know, nor its death, so it has
-- lost everything.
local function quiet(run, now, ttl, lost)
  local till = tonumber(redis.call('HGET', run, 'grants') or '0')
  if lost and till < now then
    till = now + ttl
    redis.call('HSET', run, 'grants', till)
  end
  return math.max(0, till - now)
end
