-- allow-oom. ARGV: operation end …
local operation,e=ARGV[4],tonumber(ARGV[5])
if operation=='recv' then
  -- process rid mode → {1,bytes} | {0} nothing | {'w',the other end's program} | {'e'} end of the stream | {'d'} this end is closed
  local process,rid=ARGV[6],ARGV[7]
  local had=redis.call('HGET',held(e),rid)
  if had then return {{1,had},own} end
  if isDead(e) then return {{'d'},own} end
  uses(e,process)
  local place=redis.call('LPOS',line(e),rid)
  if (place or redis.call('LLEN',line(e)))<redis.call('LLEN',inbox(e)) then
    local item=redis.call('LPOP',inbox(e))
    redis.call('HSET',held(e),rid,item)
    if place then redis.call('LREM',line(e),1,rid) end
    return {{1,item},own}
  end
  if isDead(1-e) and redis.call('LLEN',inbox(e))==0 then
    if place then redis.call('LREM',line(e),1,rid) end
    return {{'e'},own}
  end
  local other=redis.call('HGET',E,'user'..(1-e))
  if ARGV[8]=='poll' then return {{0,other and sid(other)},own} end
  if not place then redis.call('RPUSH',line(e),rid) end
  return {{'w',other and sid(other)},own}
elseif operation=='taken' then
  -- rid… were handed out
  for i=6,#ARGV do redis.call('HDEL',held(e),ARGV[i]) end
  return {1,own}
elseif operation=='back' then
  -- rid… newest first
  local rids={}
  for i=6,#ARGV do rids[#rids+1]=ARGV[i] end
  return {back(e,rids),own}
elseif operation=='use' then
  -- process make('1': the pipe begins here)
  if ARGV[7]=='1' then redis.call('HSETNX',E,'made','1') end
  if not isDead(e) then uses(e,ARGV[6]) end
  return {1,own}
elseif operation=='close' then return {die(e),own}
elseif operation=='reap' then
  -- who…: processes or sids that are gone. Closes the ends they used last; what else they had of it goes back.
  local n=0
  local gone={}
  for i=6,#ARGV do gone[ARGV[i]]=true end
  local function of(rid) return gone[sid(rid)] or gone[string.match(rid,'^[^/]+/[^/]+')] end
  for side=0,1 do
    local user=redis.call('HGET',E,'user'..side)
    if user and of(user) then n=n+die(side) end
  end
  for side=0,1 do
    local rids={}
    for _,rid in ipairs(redis.call('HKEYS',held(side))) do if of(rid) then rids[#rids+1]=rid end end
    table.sort(rids,function(a,b) return tonumber(string.match(a,'(%d+)$'))>tonumber(string.match(b,'(%d+)$')) end)
    back(side,rids)
    for _,rid in ipairs(redis.call('LRANGE',line(side),0,-1)) do if of(rid) then redis.call('LREM',line(side),1,rid) end end
    if n>0 then tellAll(side) end
  end
  return {n,own}
elseif operation=='destroy' then
  tellAll(0)
  tellAll(1)
  return {redis.call('DEL',unpack(KEYS)),own}
end
return redis.error_reply('SKEIN unknown operation '..operation)
