-- allow-oom: a full store must drain. fetched(token) = moveToActive.
-- A: rid mode(wait|poll|look) mine('<sid>/<process>/')
-- → {1,job,attempt,data} | {0,sids in the way} nothing | {'w',milliseconds until a delayed item may be taken('': not first, or none),sids in the way} waits | {'c'} closed, and nothing will come | {'m'} more to clear away: to be asked again
local job=redis.call('HGET',K.d,A.rid)
if job then
  local v=redis.call('HMGET',P..job,'ats','data')
  return {{1,job,v[1],v[2]},own}
end
local place=redis.call('LPOS',K.gw,A.rid)
local ahead=place or redis.call('LLEN',K.gw)
local there=available()
-- Who is first also looks after what is delayed; BullMQ promotes it with any fetch.
local due
if ahead==0 and there==0 then
  local first=redis.call('ZRANGE',K.delayed,0,0,'WITHSCORES')
  due=first[2] and math.floor(first[2]/4096)-now
end
if ahead<there or (due and due<=0) or (A.mode=='look' and ahead==0) then
  local attempt,data
  job,attempt,data=fetched(A.rid)
  if job then
    if place then redis.call('LREM',K.gw,1,A.rid) end
    -- A job that plain BullMQ added has no number yet.
    if not redis.call('ZSCORE',K.u,job) then redis.call('ZADD',K.u,number(job),job) end
    if redis.call('LLEN',K.gw)>0 then
      local left=available()
      if left>=there and left>0 then
        for _,rid in ipairs(redis.call('LRANGE',K.gw,0,left-1)) do tell(rid,'i') end
      elseif left==0 and redis.call('EXISTS',K.delayed)==1 then wakeFirst() end
    end
    return {{1,job,attempt,data},own}
  end
  if job==false then return {{'m'},own} end
  -- What was there was nothing.
  there=available()
end
if redis.call('HGET',K.m,'closed') and there==0 and redis.call('EXISTS',K.delayed)==0 then
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
local when=due and math.max(due,0) or ''
return {A.mode=='look' and {'w',when,unpack(others())} or {'w',when},own}
