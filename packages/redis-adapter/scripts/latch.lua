-- A count that only goes down. S: 'left', as long as it is not what the latch began with.
local function left(q)
  return tonumber(get('left') or q.shape)
end

return run({
  -- args: by how much -> what is left
  countDown = function(q)
    local before = left(q)
    local after = math.max(0, before - tonumber(q.args[1]))
    redis.call('HSET', S, 'left', after)
    if after == 0 and before > 0 then settleAll('1') end
    return tostring(after)
  end,
  count = function(q) return tostring(left(q)) end,
  wait = function(q)
    if left(q) == 0 then return '1' end
  end,
})
