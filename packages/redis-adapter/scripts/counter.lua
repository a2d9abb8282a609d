-- A semaphore whose permits belong to nobody. S: 'value', as long as it is not what it began with; 'token' the last one.
-- Under the same key a semaphore whose permits have owners keeps how many those are.
local owned = redis.call('HGET', S, 'permits')
if owned then return {{'s', owned .. ' owned'}, own} end

-- An answer to an acquire is "token permits".
local function taken(permits)
  local token = math.max(tonumber(get('token') or '0') + 1, now())
  token = string.format('%.0f', token)
  redis.call('HSET', S, 'token', token)
  return token .. ' ' .. permits
end

local function value()
  return tonumber(get('value') or get('shape'))
end

-- A large request is not overtaken by small ones behind it.
local function serve()
  while true do
    local head = redis.call('ZRANGE', Q, 0, 0)[1]
    local permits = head and tonumber((about(head)))
    if not permits or permits > value() then return end
    redis.call('HSET', S, 'value', value() - permits)
    settle(head, taken(permits))
  end
end

local function add(permits)
  redis.call('HSET', S, 'value', value() + permits)
  serve()
end

return run({
  -- want: how many -> "token permits"
  acquire = function(q)
    local permits = tonumber(q.want)
    if redis.call('ZCARD', Q) > 0 or permits > value() then return end
    redis.call('HSET', S, 'value', value() - permits)
    return taken(permits), true
  end,
  -- args: how many
  release = function(q)
    add(tonumber(q.args[1]))
    return ''
  end,
  value = function(q) return get('value') or q.shape end,
  -- It was given permits and has not heard of it.
  undo = function(_, answer)
    local permits = string.match(answer, ' (%d+)$')
    if permits then add(tonumber(permits)) end
  end,
  -- It may have been the large request that held up the small ones.
  left = serve,
})
