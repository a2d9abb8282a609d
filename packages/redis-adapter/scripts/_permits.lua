-- Lock, rlock, rwlock and semaphore: a number of permits and one line of those who wait.
-- H hash: request id -> "permits fence holder", '#' -> permits in use, '#f' -> last fence · W list of waiting request ids, its head on the left
-- N hash: waiting request id -> "permits holder" · F last fence while nobody holds · M hash: the shape
-- Conditions of a lock: C sorted set of "condition place id" of who waits to be notified, all with one score, so by condition and place
-- D hash: id of a request that came by a condition -> "condition place permits holder", also while it is in W and H; it is in C until it is
-- notified · '!' and the id of a grant -> number of the last notification under it
local H, W, N, F, M, C, D = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]

local function sid(rid)
  return string.match(rid, '^[^/]+')
end

-- Each command that a script calls costs as much as the rest of it, so what it knows already it does not ask for again.
local memo = {}

-- Permits in use.
local function used()
  if not memo.used then
    local all, last = unpack(redis.call('HMGET', H, '#', '#f'))
    memo.used, memo.last = tonumber(all or '0'), last
  end
  return memo.used
end

-- Whether somebody came by a condition, or a notification is remembered. A script that adds the first does so before it asks.
local function conditions()
  if memo.conditions == nil then memo.conditions = redis.call('EXISTS', D) == 1 end
  return memo.conditions
end

-- The clock keeps fences rising where the last one was lost: after a restart without data, or a day without a grant.
local function nextFence()
  local t = redis.call('TIME')
  local last = memo.last or redis.call('GET', F) or '0'
  memo.last = string.format('%.0f', math.max(last + 1, t[1] * 1000000 + t[2]))
  return memo.last
end

local function grant(rid, permits, holder)
  memo.used = used() + permits
  local fence = nextFence()
  redis.call('HSET', H, '#', memo.used, '#f', fence, rid, permits .. ' ' .. fence .. ' ' .. holder)
  return fence
end

-- Nobody holds, and nobody waits: most of the time.
local function idle()
  if redis.call('EXISTS', H, W, N, D) > 0 then return false end
  memo.used = 0
  return true
end

-- Grants to the head of the line if there is room for it, and tells its program: by message, or, if that is the one which asks
-- (`memo.asking`), in the answer (`memo.granted`). False: there is none, or nobody waits.
local function serveFirst(total, wake, tag)
  local head = redis.call('LINDEX', W, 0)
  if not head then return false end
  local spec = redis.call('HGET', N, head)
  if spec then
    local permits, holder = string.match(spec, '^(%d+) (.*)$')
    if tonumber(permits) > total - used() then return false end
    redis.call('HDEL', N, head)
    local by = conditions() and redis.call('HEXISTS', D, head) == 1 and ' n' or ''
    local granted = head .. ' ' .. grant(head, permits, holder) .. by
    if sid(head) == memo.asking then memo.granted[#memo.granted + 1] = granted
    else redis.call('PUBLISH', wake .. sid(head), 'g ' .. tag .. ' ' .. granted) end
  end
  redis.call('LPOP', W)
  return true
end

-- Behind whatever has given something back: grants as long as there is room for the head of the line. Without a holder the last fence is
-- kept by itself.
local function serve(total, wake, tag)
  while used() < total and serveFirst(total, wake, tag) do end
  if memo.freed and memo.used == 0 and memo.last then redis.call('SET', F, memo.last, 'PX', 86400000) end
end

-- Moves the first who waits in the condition into the line for the lock. False: nobody does.
local function notify(condition)
  local first = redis.call('ZRANGEBYLEX', C, '[' .. condition .. ' ', '(' .. condition .. '!', 'LIMIT', 0, 1)[1]
  if not first then return false end
  redis.call('ZREM', C, first)
  local rid = string.match(first, '[^ ]+$')
  redis.call('RPUSH', W, rid)
  redis.call('HSET', N, rid, string.match(redis.call('HGET', D, rid), '^[^ ]+ %d+ (.*)$'))
  return true
end

-- Gives back what it holds or takes it out of the line. With a '!' before the id it has not used what it was notified of, or it is not
-- known whether it has: then the next in the condition is notified.
local function drop(id)
  local rid = string.match(id, '[^!]+')
  local by = false
  if conditions() then
    by = redis.call('HGET', D, rid)
    redis.call('HDEL', D, rid, '!' .. rid)
  end
  local mine, all, last = unpack(redis.call('HMGET', H, rid, '#', '#f'))
  memo.used = tonumber(all or '0')
  memo.last = last or memo.last
  if mine then
    memo.used = memo.used - string.match(mine, '^%d+')
    if memo.used <= 0 then
      memo.used, memo.freed = 0, true
      redis.call('DEL', H)
    else
      redis.call('HDEL', H, rid)
      redis.call('HSET', H, '#', memo.used)
    end
  elseif redis.call('HDEL', N, rid) == 1 then
    redis.call('LREM', W, 1, rid)
  end
  if by then
    local condition, place = string.match(by, '^([^ ]+) (%d+)')
    if redis.call('ZREM', C, condition .. ' ' .. place .. ' ' .. rid) == 0 and id ~= rid then notify(condition) end
  end
end

-- The programs that stand in the way: those that hold, and the head of the line. So many at most: the rest comes when these are gone.
local function others()
  local seen, list = {}, {}
  local function add(rid)
    local s = sid(rid)
    if string.sub(s, 1, 1) ~= '#' and not seen[s] and #list < 64 then
      seen[s] = true
      list[#list + 1] = s
    end
  end
  for _, rid in ipairs(redis.call('HKEYS', H)) do add(rid) end
  local head = redis.call('LINDEX', W, 0)
  if head then add(head) end
  return list
end
