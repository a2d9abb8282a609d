-- ARGV "kind:name" of the lock, ms to keep it. Gives the lock that the condition's name stands for already, or '': it is this one.
local there = redis.call('HGET', KEYS[1], 'lock')
if there and there ~= ARGV[1] then return there end
redis.call('HSET', KEYS[1], 'lock', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return ''
