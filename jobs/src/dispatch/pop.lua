-- Takes the next job of the team whose turn it is; the team goes to the end of the ring, or out of it when nothing of it waits.
-- KEYS: the ring of teams, the counter of turns. ARGV: prefix of the teams' sets.
while true do
    local team = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
    if not team then
        return false
    end
    -- Equal scores are in the order of the ids, which is that of their age.
    local id = redis.call('ZPOPMIN', ARGV[1] .. team)[1]
    if id then
        if redis.call('EXISTS', ARGV[1] .. team) == 1 then
            redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[2]), team)
        else
            redis.call('ZREM', KEYS[1], team)
        end
        return id
    end
    redis.call('ZREM', KEYS[1], team)
end
