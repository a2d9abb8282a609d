-- bull() = addStandardJob. Refused whole on a full store.
-- A: rid maxSize('0': none) maxDeliveries mode(wait|poll|look) confirmed(rids, spaces between) former(rids under lost sessions, spaces between) data
-- → {1,job} | {0} full | {'w',sids in the way} waits | {'c'} closed | {'s',maxSize,maxDeliveries} another shape
for done in string.gmatch(A.confirmed,'%S+') do redis.call('HDEL',K.p,done) end
local had=redis.call('HGET',K.p,A.rid)
for former in string.gmatch(had and '' or A.former,'%S+') do
  had=redis.call('HGET',K.p,former)
  if had then
    redis.call('HSET',K.p,A.rid,had)
    break
  end
  redis.call('LREM',K.pw,1,former)
end
if had then return {{1,had},own} end
local shape=redis.call('HMGET',K.m,'maxSize','maxDeliveries','closed')
if shape[3] then return {{'c'},own} end
if not shape[1] then
  redis.call('HSET',K.m,'maxSize',A.maxSize,'maxDeliveries',A.maxDeliveries)
  redis.call('HSETNX',A.prefix..'meta','opts.maxLenEvents',100)
elseif shape[1]~=A.maxSize or shape[2]~=A.maxDeliveries then return {{'s',shape[1],shape[2]},own} end
if A.maxSize~='0' then
  local first=redis.call('LINDEX',K.pw,0)
  if redis.call('ZCARD',K.u)>=tonumber(A.maxSize) or (first and first~=A.rid) then
    if A.mode=='poll' then return {{0},own} end
    if not redis.call('LPOS',K.pw,A.rid) then redis.call('RPUSH',K.pw,A.rid) end
    return {A.mode=='look' and {'w',unpack(others())} or {'w'},own}
  end
  if first then redis.call('LPOP',K.pw) end
end
local job=bull()
redis.call('HSET',K.p,A.rid,job)
redis.call('PEXPIRE',K.p,60000)
redis.call('ZADD',K.u,redis.call('INCR',K.s),job)
wakeGetter()
if A.maxSize~='0' and redis.call('ZCARD',K.u)<tonumber(A.maxSize) then wakePutter() end
return {{1,job},own}
