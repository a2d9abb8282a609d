-- Refused whole on a full store. ARGV: end process rid bytes confirmed(rids, spaces between) → 1 sent | -1 nobody will receive it | -2 this end is closed
local e=tonumber(ARGV[4])
if isDead(1-e) then return {-1,own} end
if isDead(e) then return {-2,own} end
for done in string.gmatch(ARGV[8],'%S+') do redis.call('HDEL',E,'sent'..done) end
-- By the message itself: one that the server was too busy to take may come after a later one.
if redis.call('HSETNX',E,'sent'..ARGV[6],'1')==0 then return {1,own} end
uses(e,ARGV[5])
redis.call('RPUSH',inbox(1-e),ARGV[7])
wake(1-e)
return {1,own}
