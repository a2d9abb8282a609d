-- allow-oom: a full store must drain. fetched(token) = moveToActive.
-- A: rid mode(wait|poll|look) mine('<sid>/<process>/')
-- → {1,job,attempt,data} | {0,sids in the way} nothing | {'w',sids in the way} waits | {'c'} closed, and nothing will come
local job=redis.call('HGET',K.d,A.rid)
if job then
  local v=redis.call('HMGET',P..job,'ats','data')
  return {{1,job,v[1],v[2]},own}
end
local place=redis.call('LPOS',K.gw,A.rid)
local ahead=place or redis.call('LLEN',K.gw)
local there=available()
-- Who looks at the head of the line also lets BullMQ promote what was delayed.
if ahead<there or (A.mode=='look' and ahead==0) then
  local attempt,data
  job,attempt,data=fetched(A.rid)
  if job then
    if place then redis.call('LREM',K.gw,1,A.rid) end
    -- A job that plain BullMQ added has no number yet.
    if not redis.call('ZSCORE',K.u,job) then redis.call('ZADD',K.u,number(job),job) end
    return {{1,job,attempt,data},own}
  end
end
if redis.call('HGET',K.m,'closed') and there==0 then
  local elsewhere=false
  for _,rid in ipairs(redis.call('HKEYS',K.d)) do
    if string.sub(rid,1,#A.mine)~=A.mine then elsewhere=true end
  end
  if not elsewhere then
    if place then redis.call('LREM',K.gw,1,A.rid) end
    return {{'c'},own}
  end
end
if A.mode=='poll' then return {{0,unpack(others())},own} end
if not place then redis.call('RPUSH',K.gw,A.rid) end
return {A.mode=='look' and {'w',unpack(others())} or {'w'},own}
