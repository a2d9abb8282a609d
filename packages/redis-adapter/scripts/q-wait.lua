-- allow-oom. What needs no BullMQ text. A: op rid arg more
if A.op=='leave' then
  -- Puts that were given up: out of the line, and out of the queue if the item is still there.
  -- → those whose item somebody has taken already
  local n,taken=0,{}
  for rid in string.gmatch(A.arg,'%S+') do
    n=n+redis.call('LREM',K.pw,1,rid)+redis.call('ZREM',K.jw,rid)
    local job=redis.call('HGET',K.p,rid)
    if job then
      redis.call('HDEL',K.p,rid)
      if redis.call('LREM',K.wait,-1,job)==1 or redis.call('ZREM',K.prioritized,job)==1 or redis.call('ZREM',K.delayed,job)==1 then
        forget(job)
        over(job)
        n=n+1
      else taken[#taken+1]=rid end
    end
  end
  if n>0 then wakePutter() end
  return {taken,own}
elseif A.op=='join' then
  -- arg: '' or the number that an earlier asking got; more: wait|poll → {1 nothing is left|0, number}
  local last=A.arg~='' and A.arg or redis.call('GET',P..'id') or '0'
  if redis.call('ZCOUNT',K.u,'-inf',last)==0 then
    redis.call('ZREM',K.jw,A.rid)
    return {{1,last},own}
  end
  if A.more=='wait' then redis.call('ZADD',K.jw,last,A.rid) end
  return {{0,last,unpack(others())},own}
elseif A.op=='close' then
  redis.call('HSET',K.m,'closed','1')
  wakeAll(K.pw,'c')
  wakeAll(K.gw,'c')
  redis.call('DEL',K.pw)
  return {1,own}
elseif A.op=='open' then
  -- arg, more: the shape; rid 'attached': it was named elsewhere before, so it never opens again → {'s',its shape} | {'o',1 was closed and drained and is open again|0,1 closed|0,sids in the way}
  local shape=redis.call('HMGET',K.m,'maxSize','maxDeliveries','closed')
  local again=0
  if shape[3] and A.rid~='attached' and redis.call('ZCARD',K.u)==0 then
    redis.call('DEL',K.m)
    shape={}
    again=1
  end
  if not shape[1] then
    redis.call('HSET',K.m,'maxSize',A.arg,'maxDeliveries',A.more)
    redis.call('HSETNX',P..'meta','opts.maxLenEvents',100)
  elseif shape[1]~=A.arg or shape[2]~=A.more then return {{'s',shape[1],shape[2]},own} end
  return {{'o',again,shape[3] and 1 or 0,unpack(others())},own}
elseif A.op=='size' then
  return {{available()+redis.call('ZCARD',K.delayed),redis.call('ZCARD',K.u)},own}
elseif A.op=='purge' then
  -- arg: '' or how many the last asking left → {how many were dropped, how many are left of those that waited at first}
  local left=A.arg~='' and tonumber(A.arg) or available()+redis.call('ZCARD',K.delayed)
  local n=0
  while n<1000 and left>0 do
    local id=redis.call('RPOP',K.wait) or redis.call('ZPOPMIN',K.prioritized)[1] or redis.call('ZPOPMIN',K.delayed)[1]
    if not id then left=0 break end
    forget(id)
    over(id)
    n,left=n+1,left-1
  end
  return {{n,left},own}
elseif A.op=='dead' then
  -- arg: from which on; more: how many → {{job,attempts,reason,when,data}…}
  local list={}
  for _,id in ipairs(redis.call('ZRANGE',K.failed,A.arg,A.arg+A.more-1)) do
    local v=redis.call('HMGET',P..id,'ats','failedReason','finishedOn','data')
    list[#list+1]={id,v[1] or '0',v[2] or '',v[3] or '0',v[4] or 'null'}
  end
  return {list,own}
elseif A.op=='clear' then
  -- as purge
  local left=A.arg~='' and tonumber(A.arg) or redis.call('ZCARD',K.failed)
  local n=0
  while n<1000 and left>0 do
    local id=redis.call('ZPOPMIN',K.failed)[1]
    if not id then left=0 break end
    forget(id)
    n,left=n+1,left-1
  end
  return {{n,left},own}
elseif A.op=='destroy' then
  -- Every job that BullMQ knows, its keys and ours.
  local told={}
  local function gone(rid) if not told[sid(rid)] then told[sid(rid)]=true tell(rid,'x') end end
  for _,line in ipairs({K.gw,K.pw}) do for _,rid in ipairs(redis.call('LRANGE',line,0,-1)) do gone(rid) end end
  for _,rid in ipairs(redis.call('ZRANGE',K.jw,0,-1)) do gone(rid) end
  for _,rid in ipairs(redis.call('HKEYS',K.d)) do gone(rid) end
  local function drop(ids)
    for _,id in ipairs(ids) do forget(id) end
  end
  for _,list in ipairs({'wait','active','paused'}) do drop(redis.call('LRANGE',P..list,0,-1)) end
  for _,set in ipairs({'prioritized','delayed','failed','completed','waiting-children'}) do drop(redis.call('ZRANGE',P..set,0,-1)) end
  for _,name in ipairs({'wait','active','paused','prioritized','delayed','failed','completed','waiting-children','meta','id','events','marker','pc','stalled','stalled-check','limiter','repeat','metrics:completed','metrics:failed'}) do
    redis.call('UNLINK',P..name)
  end
  return {redis.call('UNLINK',K.m,K.p,K.u,K.gw,K.pw,K.jw,K.d),own}
end
return redis.error_reply('SKEIN unknown operation '..A.op)
