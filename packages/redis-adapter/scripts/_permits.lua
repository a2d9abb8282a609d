-- Lock, rlock, rwlock and semaphore: a number of permits and one line of those who wait.
-- H hash: request id -> "permits fence holder", '#' -> permits in use · W list of waiting request ids, its head on the left
-- N hash: waiting request id -> "permits holder" · F last fence · M hash: the shape
local H, W, N, F, M = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local function sid(rid)
  return string.match(rid, '^[^/]+')
end

local function used()
  return tonumber(redis.call('HGET', H, '#') or '0')
end

-- The clock keeps fences rising where the counter was lost: after a restart without data, or a day without a grant.
local function grant(rid, permits, holder)
  local t = redis.call('TIME')
  local fence = math.max(tonumber(redis.call('GET', F) or '0') + 1, t[1] * 1000000 + t[2])
  fence = string.format('%.0f', fence)
  redis.call('SET', F, fence, 'PX', 86400000)
  redis.call('HSET', H, rid, permits .. ' ' .. fence .. ' ' .. holder)
  redis.call('HINCRBY', H, '#', permits)
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
      redis.call('PUBLISH', wake .. sid(head), 'g ' .. tag .. ' ' .. head .. ' ' .. grant(head, permits, holder))
    end
  end
end

-- 1: it held and does no longer, 2: it stood in line, 0: neither.
local function drop(rid)
  local mine = redis.call('HGET', H, rid)
  if mine then
    redis.call('HDEL', H, rid)
    if redis.call('HINCRBY', H, '#', -tonumber(string.match(mine, '^%d+'))) <= 0 then redis.call('DEL', H) end
    return 1
  end
  if redis.call('HDEL', N, rid) == 1 then
    redis.call('LREM', W, 1, rid)
    return 2
  end
  return 0
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
