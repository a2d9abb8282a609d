-- again(job) = reprocessJob. A: job → 1 a dead letter is an item again|0 there is none of that id|'c' closed
if redis.call('HGET',K.m,'closed') then return {'c',own} end
local id=redis.call('HGET',P..A.job,'deid')
if again(A.job)~=1 then return {0,own} end
-- Its id may belong to another item by now.
if id and not redis.call('SET',P..'de:'..id,A.job,'NX') then redis.call('HDEL',P..A.job,'deid') end
-- As if newly put: who waits in a join does not wait for it.
redis.call('ZADD',K.u,redis.call('INCR',P..'id'),A.job)
wakeGetter()
return {1,own}
