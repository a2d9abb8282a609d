-- Parties that wait for each other. S: 'broken' -> why, while it is · 'runner' who runs the action of a full round, 'seat' its number in it,
-- 'holder' whom it is for. The other parties of that round are the first in line; those behind them are for the next one.
-- Answers: 'p seat' passed · 'r mark' is to run the action of that round · 'b why' broken · 't' not all are there
local function parties()
  return tonumber(get('shape'))
end

local function crash(why)
  if get('broken') then return end
  redis.call('HSET', S, 'broken', why)
  redis.call('HDEL', S, 'runner', 'seat', 'holder')
  settleAll('b ' .. why)
end

local function died(holder, what)
  local known, process = pcall(cjson.decode, holder)
  local who = known and 'process ' .. process.name .. ' (pid ' .. process.pid .. ' on ' .. process.host .. ')' or 'a process'
  return who .. ' died, or was cut off, ' .. what
end

-- Lets full rounds pass, or has one of their parties run the action: the last one that has it.
local function fill()
  while not get('runner') and redis.call('ZCARD', Q) >= parties() do
    local round = redis.call('ZRANGE', Q, 0, parties() - 1)
    for seat = #round, 1, -1 do
      local want, holder = about(round[seat])
      if want == 'action' then
        redis.call('HSET', S, 'runner', round[seat], 'seat', seat - 1, 'holder', holder)
        return settle(round[seat], 'r ' .. mark())
      end
    end
    turn()
    for seat, rid in ipairs(round) do settle(rid, 'p ' .. seat - 1) end
  end
end

return run({
  -- args: who it is, if it gives up at once; want: 'action' if it has it
  wait = function(q)
    -- Its seat was of a round that is over, which its program did not live to see.
    if turned(q.mark) then return 'b this party was stopped or cut off while it waited' end
    local why = get('broken')
    if why then return 'b ' .. why end
    if q.mode == 'poll' and (get('runner') or redis.call('ZCARD', Q) + 1 < parties()) then
      crash(q.args[1] .. ' gave up')
      return 't', true
    end
    stand(q)
    fill()
    return redis.call('HGET', A, q.rid), true
  end,
  -- args: mark of the round, whether it went well, why not
  acted = function(q)
    if not get('runner') or q.args[1] ~= mark() then
      return 'b ' .. (get('broken') or 'it was reset while its action ran')
    end
    if q.args[2] ~= '1' then
      crash(q.args[3])
      return 'b ' .. q.args[3]
    end
    local own, seat = tonumber(get('seat')), 0
    redis.call('HDEL', S, 'runner', 'seat', 'holder')
    turn()
    for _ = 2, parties() do
      if seat == own then seat = seat + 1 end
      settle(redis.call('ZRANGE', Q, 0, 0)[1], 'p ' .. seat)
      seat = seat + 1
    end
    fill()
    return 'p ' .. own
  end,
  -- args: who it is
  abort = function(q)
    crash(q.args[1] .. ' aborted it')
    return ''
  end,
  reset = function(q)
    redis.call('HDEL', S, 'broken', 'runner', 'seat', 'holder')
    turn()
    settleAll('b ' .. q.args[1] .. ' reset it')
    return ''
  end,
  broken = function() return get('broken') and '1' or '0' end,
  waiting = function() return tostring(redis.call('ZCARD', Q) + (get('runner') and 1 or 0)) end,
  -- A party has left.
  left = function(_, _, why, holder)
    crash(why ~= '' and why or died(holder, 'while it waited'))
  end,
  -- It was to run the action, and has not heard of it.
  undo = function(_, answer, why)
    if string.sub(answer, 1, 2) == 'r ' and get('runner') and string.sub(answer, 3) == mark() then
      crash(why ~= '' and why or died(get('holder') or '', 'before it ran the action'))
    end
  end,
  reaped = function(dead)
    local runner = get('runner')
    if runner and dead[sid(runner)] then crash(died(get('holder') or '', 'while it ran the action')) end
  end,
})
