-- Of every script of a pipe. KEYS: the ends (a hash); for each end the messages towards it, those sent to a process that has not
-- said yet that it has them (a hash by rid), and the line of who waits there.
-- ARGV: self wake tag, then the script's own. Each returns {outcome, wakes of the caller's own program}.
local E=KEYS[1]
local own={}
local function inbox(e) return KEYS[2+e] end
local function held(e) return KEYS[4+e] end
local function line(e) return KEYS[6+e] end
local function sid(rid) return string.match(rid,'^[^/]+') end
local function tell(rid)
  local s=sid(rid)
  if s==ARGV[1] then own[#own+1]='i '..rid
  else redis.call('PUBLISH',ARGV[2]..s,'i '..ARGV[3]..' '..rid) end
end
local function tellAll(e) for _,rid in ipairs(redis.call('LRANGE',line(e),0,-1)) do tell(rid) end end
-- The receiver whose turn the newest message is, if so many wait.
local function wake(e)
  local n=redis.call('LLEN',inbox(e))
  local rid=n>0 and redis.call('LINDEX',line(e),n-1)
  if rid then tell(rid) end
end
local function isDead(e) return redis.call('EXISTS',E)==0 or redis.call('HGET',E,'dead'..e) end
local function uses(e,process)
  if redis.call('HGET',E,'user'..e)~=process then redis.call('HSET',E,'user'..e,process) end
end
local function die(e)
  if isDead(e) then return 0 end
  redis.call('HSET',E,'dead'..e,'1')
  redis.call('HDEL',E,'user'..e)
  tellAll(0)
  tellAll(1)
  redis.call('DEL',inbox(e),held(e),line(e))
  -- Nobody will ask any more.
  if redis.call('HGET',E,'dead'..(1-e)) then redis.call('DEL',unpack(KEYS)) end
  return 1
end
-- Messages that were not handed out, newest first, go to the front.
local function back(e,rids)
  local n=0
  for _,rid in ipairs(rids) do
    local item=redis.call('HGET',held(e),rid)
    if item then
      redis.call('HDEL',held(e),rid)
      redis.call('LPUSH',inbox(e),item)
      wake(e)
      n=n+1
    elseif redis.call('LREM',line(e),1,rid)==1 then wake(e) end
  end
  return n
end
