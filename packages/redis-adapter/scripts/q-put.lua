-- add(data) = addStandardJob, addWith(data,delay,priority,id) = that, addDelayedJob or addPrioritizedJob, fetched(token) = moveToActive.
-- Refused whole on a full store.
-- A: rid maxSize('0': none) maxDeliveries mode(wait|poll|look) confirmed(rids, spaces between) former(rids under lost sessions, spaces between)
-- ahead('', or the rid of a get that will come: it has the item at once if it is the only one there, since who has one ahead of demand may
-- put it back, and meanwhile nothing behind it may be there for others to take) how('<delay> <priority> <id>', or '') data
-- → {1,job} | {1,job,attempt,its job,its data or '' if it is this one} ahead has an item | {0} full | {'w',sids in the way} waits | {'c'} closed
-- | {'s',maxSize,maxDeliveries} another shape
if A.confirmed~='' then
  local done={}
  for one in string.gmatch(A.confirmed,'%S+') do done[#done+1]=one end
  redis.call('HDEL',K.p,unpack(done))
end
local had=redis.call('HGET',K.p,A.rid)
for former in string.gmatch(had and '' or A.former,'%S+') do
  had=redis.call('HGET',K.p,former)
  if had then
    redis.call('HSET',K.p,A.rid,had)
    break
  end
  redis.call('LREM',K.pw,1,former)
end
if had then
  local job=A.ahead~='' and redis.call('HGET',K.d,A.ahead)
  if job then
    local v=redis.call('HMGET',P..job,'ats','data')
    return {{1,had,v[1],job,v[2]},own}
  end
  return {{1,had},own}
end
local shape=redis.call('HMGET',K.m,'maxSize','maxDeliveries','closed')
if shape[3] then return {{'c'},own} end
if not shape[1] then
  redis.call('HSET',K.m,'maxSize',A.maxSize,'maxDeliveries',A.maxDeliveries)
  redis.call('HSETNX',P..'meta','opts.maxLenEvents',100)
elseif shape[1]~=A.maxSize or shape[2]~=A.maxDeliveries then return {{'s',shape[1],shape[2]},own} end
local delay,priority,id=0,0,''
if A.how~='' then
  delay,priority,id=string.match(A.how,'^(%S+) (%S+) (%S*)$')
  delay,priority=tonumber(delay),tonumber(priority)
  local same=id~='' and redis.call('GET',P..'de:'..id)
  if same and redis.call('EXISTS',P..same)==1 then
    if redis.call('LREM',K.pw,1,A.rid)==1 then wakePutter() end
    return {{1,same},own}
  end
end
if A.maxSize~='0' then
  local first=redis.call('LINDEX',K.pw,0)
  if redis.call('ZCARD',K.u)>=tonumber(A.maxSize) or (first and first~=A.rid) then
    if A.mode=='poll' then return {{0},own} end
    if not redis.call('LPOS',K.pw,A.rid) then redis.call('RPUSH',K.pw,A.rid) end
    return {A.mode=='look' and {'w',unpack(others())} or {'w'},own}
  end
  if first then redis.call('LPOP',K.pw) end
end
local job=A.how=='' and add(A.data) or addWith(A.data,delay,priority,id)
redis.call('HSET',K.p,A.rid,job)
redis.call('PEXPIRE',K.p,60000)
redis.call('ZADD',K.u,number(job),job)
if A.maxSize~='0' and redis.call('ZCARD',K.u)<tonumber(A.maxSize) then wakePutter() end
if delay>0 then wakeFirst()
elseif redis.call('LLEN',K.gw)>0 then wakeGetter()
elseif A.ahead~='' and available()==1 then
  local taken,attempt,data=fetched(A.ahead)
  if taken then return {{1,job,attempt,taken,taken==job and '' or data},own} end
end
return {{1,job},own}
