-- ARGV id for a new one, '1' make it if there is none, length of an array or '', first value (or filling of an array) or '', items…
-- Gives {id, length or ''}, or nothing if there is none.
local id = redis.call('HGET', S, 'id')
if not id then
  if ARGV[2] ~= '1' then return {} end
  id = ARGV[1]
  redis.call('HSET', S, 'id', id, 'l', ARGV[3])
  if ARGV[4] ~= '' then
    if ARGV[3] == '' then redis.call('HSET', D, 'v', written() .. ' ' .. ARGV[4]) else redis.call('HSET', S, 'z', ARGV[4]) end
  end
  if #ARGV > 4 then
    local n = written()
    for i = 5, #ARGV do redis.call('HSET', D, i - 5, n .. ' ' .. ARGV[i]) end
  end
end
return {id, redis.call('HGET', S, 'l')}
