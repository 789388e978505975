-- Counts one more request in a window that begins with its first one.
-- KEYS[1]: the counter. ARGV[1]: how long a window is, in milliseconds. Returns the count and how long the window goes on, in milliseconds.
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    left = tonumber(ARGV[1])
end
return { count, left }
