-- Lock, rlock, rwlock and semaphore: a number of permits and one line of those who wait.
-- H hash: request id -> "permits fence holder", '#' -> permits in use · W list of waiting request ids, its head on the left
-- N hash: waiting request id -> "permits holder" · F last fence · M hash: the shape
-- Conditions of a lock: C sorted set of "condition place id" of who waits to be notified, all with one score, so by condition and place
-- D hash: id of a request that came by a condition -> "condition place permits holder", also while it is in W and H; it is in C until it is
-- notified · '!' and the id of a grant -> number of the last notification under it
local H, W, N, F, M, C, D = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]

local function sid(rid)
  return string.match(rid, '^[^/]+')
end

local function used()
  return tonumber(redis.call('HGET', H, '#') or '0')
end

-- The clock keeps fences rising where the counter was lost: after a restart without data, or a day without a grant.
local function nextFence()
  local t = redis.call('TIME')
  local fence = math.max(tonumber(redis.call('GET', F) or '0') + 1, t[1] * 1000000 + t[2])
  fence = string.format('%.0f', fence)
  redis.call('SET', F, fence, 'PX', 86400000)
  return fence
end

local function grant(rid, permits, holder)
  local fence = nextFence()
  redis.call('HSET', H, rid, permits .. ' ' .. fence .. ' ' .. holder)
  redis.call('HINCRBY', H, '#', permits)
  return fence
end

-- Nobody holds, and nobody waits: most of the time. Each command that a script calls costs as much as the rest of it.
local function idle()
  return redis.call('EXISTS', H, W, N, D) == 0
end

-- As grant, where it is idle.
local function grantFirst(rid, permits, holder)
  local fence = nextFence()
  redis.call('HSET', H, '#', permits, rid, permits .. ' ' .. fence .. ' ' .. holder)
  return fence
end

-- Grants to the head of the line as long as there is room for it, and tells its program.
local function serve(total, wake, tag)
  while true do
    local head = redis.call('LINDEX', W, 0)
    if not head then return end
    local spec = redis.call('HGET', N, head)
    if not spec then
      redis.call('LPOP', W)
    else
      local permits, holder = string.match(spec, '^(%d+) (.*)$')
      if tonumber(permits) > total - used() then return end
      redis.call('LPOP', W)
      redis.call('HDEL', N, head)
      local by = redis.call('HEXISTS', D, head) == 1 and ' n' or ''
      redis.call('PUBLISH', wake .. sid(head), 'g ' .. tag .. ' ' .. head .. ' ' .. grant(head, permits, holder) .. by)
    end
  end
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
-- 1: it held and does no longer, 2: it stood in line, 0: neither.
local function drop(id)
  local rid = string.match(id, '[^!]+')
  local by = false
  if redis.call('EXISTS', D) == 1 then
    by = redis.call('HGET', D, rid)
    redis.call('HDEL', D, rid, '!' .. rid)
  end
  local done = 0
  local mine, all = unpack(redis.call('HMGET', H, rid, '#'))
  if mine then
    local permits = string.match(mine, '^%d+')
    if tonumber(permits) >= tonumber(all or '0') then
      redis.call('DEL', H)
    else
      redis.call('HDEL', H, rid)
      redis.call('HINCRBY', H, '#', -permits)
    end
    done = 1
  elseif redis.call('HDEL', N, rid) == 1 then
    redis.call('LREM', W, 1, rid)
    done = 2
  end
  if by then
    local condition, place = string.match(by, '^([^ ]+) (%d+)')
    if redis.call('ZREM', C, condition .. ' ' .. place .. ' ' .. rid) == 1 then return 2 end
    if id ~= rid then notify(condition) end
  end
  return done
end

-- The programs that stand in the way: those that hold, and the head of the line. So many at most: the rest comes when these are gone.
local function others()
  local seen, list = {}, {}
  local function add(rid)
    local s = sid(rid)
    if s ~= '#' and not seen[s] and #list < 64 then
      seen[s] = true
      list[#list + 1] = s
    end
  end
  for _, rid in ipairs(redis.call('HKEYS', H)) do add(rid) end
  local head = redis.call('LINDEX', W, 0)
  if head then add(head) end
  return list
end
