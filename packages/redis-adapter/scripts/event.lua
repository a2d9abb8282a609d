-- A flag. S: 'set' -> '1' while it is up.
return run({
  set = function()
    if get('set') then return '' end
    redis.call('HSET', S, 'set', '1')
    turn()
    settleAll('1')
    return ''
  end,
  clear = function()
    redis.call('HDEL', S, 'set')
    return ''
  end,
  isSet = function() return get('set') or '0' end,
  wait = function(q)
    if get('set') or turned(q.mark) then return '1' end
  end,
})
