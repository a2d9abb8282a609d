-- allow-oom. back(token,job) = moveJobFromActiveToWait, finish(token,job,…) = moveToFinished.
-- A: dead(sids or '<sid>/<process>', spaces around each) → how many deliveries and places went
local function fail(token,job) return finish(token,job,'failed',-1,'failedReason','its consumers died') end
local function gone(rid)
  return string.find(A.dead,' '..sid(rid)..' ',1,true) or string.find(A.dead,' '..string.match(rid,'^[^/]+/[^/]+')..' ',1,true)
end
local n,mine=0,{}
local all=redis.call('HGETALL',K.d)
for i=1,#all,2 do
  if gone(all[i]) then mine[#mine+1]={all[i],all[i+1],tonumber(redis.call('ZSCORE',K.u,all[i+1]) or 0)} end
end
-- The newest first, since each goes to the front.
table.sort(mine,function(a,b) return a[3]>b[3] end)
local most=tonumber(redis.call('HGET',K.m,'maxDeliveries') or '5')
for _,one in ipairs(mine) do
  local rid,job=one[1],one[2]
  local attempt=tonumber(redis.call('HGET',P..job,'ats') or '1')
  redis.call('HDEL',K.d,rid)
  local act=attempt>=most and fail or back
  local code=act(rid,job)
  if code==-2 or code==-6 then act('0',job) end
  if attempt>=most or code==-1 then over(job) end
  n=n+1
end
for _,list in ipairs({K.gw,K.pw}) do
  for _,rid in ipairs(redis.call('LRANGE',list,0,-1)) do
    if gone(rid) then n=n+redis.call('LREM',list,1,rid) end
  end
end
for _,rid in ipairs(redis.call('ZRANGE',K.jw,0,-1)) do
  if gone(rid) then n=n+redis.call('ZREM',K.jw,rid) end
end
if n>0 then
  local there=available()
  if there>0 then for _,rid in ipairs(redis.call('LRANGE',K.gw,0,there-1)) do tell(rid,'i') end
  elseif redis.call('EXISTS',K.delayed)==1 then wakeFirst() end
  wakePutter()
  if redis.call('HGET',K.m,'closed') then wakeAll(K.gw,'c') end
end
return {n,own}
