-- SPDX-License-Identifier: BSD-3-Clause
--
-- spdm.lua - SPDM in Wireshark and tshark.
--
-- How messages are laid out is not said here: the build puts the tables that
-- layout.c prints in front of this text (algorithms, classes, names, block,
-- layouts). They come from the walkers that endpoints and `spdm decode` use.
-- Here they are walked over the bytes, and what was negotiated is remembered
-- for each connection, as it decides how long hashes and signatures are.
--
-- Nothing is decrypted or verified: that is what `spdm decode` is for.

local spdm = Proto("spdm", "Security Protocol and Data Model")
local secured = Proto("spdm.secured", "Secured SPDM Message")

-- ---- fields ----

local versions = {}
for minor = 0, 4 do versions[0x10 + minor] = "1." .. minor end

-- "RequestResponseCode" -> "request_response_code"
local function spelled(name)
    local out = name:gsub("(%l)(%u)", "%1_%2"):gsub("(%u)(%u%l)", "%1_%2"):gsub("[^%w]+", "_")
    return out:lower()
end

local f = {
    version = ProtoField.uint8("spdm.version", "SPDMVersion", base.HEX, versions),
    code = ProtoField.uint8("spdm.code", "RequestResponseCode", base.HEX, names),
    request = ProtoField.bool("spdm.request", "Request"),
    session = ProtoField.uint32("spdm.session", "Session", base.HEX),
    length = ProtoField.uint16("spdm.record_length", "Length", base.DEC),
    sealed = ProtoField.bytes("spdm.sealed", "Sealed"),
}
local own = {SPDMVersion = f.version, RequestResponseCode = f.code}
local numbers, bytes, registered = {}, {}, {}

local function declare(items)
    for _, item in ipairs(items) do
        if item.kind == "fork" then
            for _, case in ipairs(item.cases) do declare(case) end
        elseif item.name ~= nil and own[item.name] == nil then
            local name, table = "spdm." .. spelled(item.name), numbers
            if item.kind ~= "number" then name, table = name .. ".bytes", bytes end
            if table[item.name] == nil then
                table[item.name] = item.kind == "number" and ProtoField.uint32(name, item.name, base.DEC_HEX)
                                       or ProtoField.bytes(name, item.name)
                registered[#registered + 1] = table[item.name]
            end
        end
    end
end

declare(block)
for _, of_version in pairs(layouts) do
    for _, items in pairs(of_version) do declare(items) end
end
for _, field in pairs(f) do registered[#registered + 1] = field end
spdm.fields = registered

local broken = ProtoExpert.new("spdm.short", "The message is shorter than its fields", expert.group.MALFORMED,
                               expert.severity.ERROR)
spdm.experts = {broken}

-- ---- what is known of a connection ----

local connections = {} -- the latest state
local seen = {}        -- by frame and place in it: the state in front of that message, for looking at it again

local function bit_set(v, bit)
    return math.floor(v / 2 ^ bit) % 2 == 1
end

local function ones(v)
    local n = 0
    while v > 0 do
        n = n + v % 2
        v = math.floor(v / 2)
    end
    return n
end

-- The bits of v that are in mask, without operators that one of Lua 5.2 and 5.4 lacks.
local function masked(v, mask)
    if mask == 0xffffffff then return v end
    local out, place = 0, 1
    while mask > 0 do
        if mask % 2 == 1 and v % 2 == 1 then out = out + place end
        v, mask, place = math.floor(v / 2), math.floor(mask / 2), place * 2
    end
    return out
end

-- The row of the algorithm that a mask selects.
local function selected(class, mask)
    for _, row in ipairs(algorithms) do
        if row.class == class and bit_set(mask or 0, row.bit) then return row end
    end
end

-- ALGORITHMS: sizes from here on. AlgType tells what AlgSupported behind it selects.
local function learn(shown)
    local v = shown.by_name
    local function size_of(row) return row and row.size end
    local state = {
        hash = size_of(selected(classes.hash, v.BaseHashSel)),
        signature = size_of(selected(classes.asym, v.BaseAsymSel) or selected(classes.pqc, v.PqcAsymSel)),
    }
    local classes_of = {[2] = classes.dhe, [4] = classes.asym, [6] = classes.pqc, [7] = classes.kem}
    for _, pair in ipairs(shown.algorithms) do
        local row = selected(classes_of[pair.type], pair.mask)
        if row ~= nil and (pair.type == 2 or pair.type == 7) then
            state.exchange, state.reply = row.size, row.reply
        elseif row ~= nil then
            state.requester_signature = row.size
        end
    end
    return state
end

-- ---- a message ----

local function size_of(word, context)
    if type(word) == "number" then return word end
    local state = context.state
    if word == "summary" then return context.summary and state.hash or 0 end
    if word == "verify" then return state.hash end
    if word == "signature" and context.by_requester then return state.requester_signature end
    return state[word]
end

-- The size of an item, nil if nobody can know it.
local function length_of(item, context)
    local n = size_of(item.size, context)
    if item.of == nil or n == nil then return n end
    local by, v = size_of(item.by, context), masked(context.values[item.of] or 0, item.mask)
    if by == nil then return nil end
    return n + by * (item.ones and ones(v) or v)
end

local function case_of(item, context)
    local v = context.values[item.of] or 0
    for _, case in ipairs(item.cases) do
        for _, range in ipairs(case.values or {}) do
            if v >= range[1] and v <= range[2] then return case end
        end
    end
    return item.cases[#item.cases]
end

local walk, show_message

-- These hold a message of the other role.
local enveloped = {EncapsulatedRequest = true, EncapsulatedResponse = true, EncapsulatedMessage = true}

-- The measurement record is blocks.
local function show_blocks(tree, range)
    local at, n = 0, 0
    while at < range:len() do
        local part = range(at)
        local branch = tree:add(part, "Block")
        local context = {values = {}, by_name = {}, algorithms = {}, state = {}}
        local used = walk(block, context, branch, part, 0)
        if used == 0 or context.short then return end
        branch:set_len(used)
        branch:set_text(string.format("Block %d", context.by_name.Index or 0))
        at, n = at + used, n + 1
    end
end

local function show_item(item, context, tree, range, at, n)
    local values = context.values
    values[#values + 1] = false
    if item.kind == "reserved" or n == 0 then return end
    local part = range(at, n)
    if item.kind ~= "number" then
        local shown = tree:add(bytes[item.name], part)
        if item.name == "MeasurementRecord" then show_blocks(shown, part) end
        if enveloped[item.name] and n >= 4 and not context.turned then show_message(part, shown, context) end
        return
    end
    local v = part:le_uint()
    values[#values] = v
    context.by_name[item.name] = v
    if item.name == "AlgType" then context.type = v end
    if item.name == "AlgSupported" then
        context.algorithms[#context.algorithms + 1] = {type = context.type, mask = v}
    end
    tree:add_le(own[item.name] or numbers[item.name], part)
end

-- Shows items from `at` on; returns the position behind them. What is not there any more is left out: what was asked
-- for decides about it, and the message's end tells it.
walk = function(items, context, tree, range, at)
    for _, item in ipairs(items) do
        local left = range:len() - at
        if item.kind == "fork" then return walk(case_of(item, context), context, tree, range, at) end
        local n = item.kind == "rest" and left or length_of(item, context)
        if left == 0 and n ~= 0 and item.kind == "number" and #context.values < 4 then context.short = true end
        if n == nil or n > left then
            -- an HMAC or signature that is not there leaves nothing, or the padding of DOE
            context.short = context.short or left > 0 and type(item.size) == "number"
            n = type(item.size) == "number" and left or n == nil and left or 0
        end
        show_item(item, context, tree, range, at, n)
        at = at + n
    end
    return at
end

local function key_of(pinfo)
    local a = tostring(pinfo.src) .. "|" .. tostring(pinfo.src_port)
    local b = tostring(pinfo.dst) .. "|" .. tostring(pinfo.dst_port)
    -- the tag of MCTP changes with each request
    if pinfo.port_type ~= 2 then a, b = tostring(pinfo.src), tostring(pinfo.dst) end
    return a < b and a .. "-" .. b or b .. "-" .. a
end

-- The state in front of a message, the same however often Wireshark asks: new states take the place of old ones, which
-- are never changed.
local function state_of(pinfo, place)
    local key, id = key_of(pinfo), pinfo.number .. "." .. place
    if seen[id] == nil then seen[id] = connections[key] or {} end
    return seen[id], key
end

-- What the message tells those that follow.
local function follow(state, code, context)
    local next = {}
    for k, v in pairs(state) do next[k] = v end
    if names[code] == "ALGORITHMS" then next = learn(context) end
    if names[code] == "GET_VERSION" then next = {} end
    local asked = context.turned and "turned_summary" or "summary"
    if code >= 0x80 then next[asked] = (context.by_name.MeasurementSummaryHashType or 0) ~= 0 end
    return next
end

local place = 0 -- of the message in its frame

-- A message in a range; `outer` is the context of the one that it lies in. Returns its context and name.
show_message = function(range, tree, outer, state)
    local version, code = range(0, 1):uint(), range(1, 1):uint()
    local name = names[code] or string.format("code 0x%02x", code)
    local layout = layouts[code] and (layouts[code][version] or layouts[code][0x14])
    local turned = outer ~= nil
    state = state or outer.state
    local context = {values = {}, by_name = {}, algorithms = {}, state = state, turned = turned,
                     summary = turned and state.turned_summary or not turned and state.summary,
                     by_requester = (code >= 0x80) ~= turned}
    local branch = tree:add(spdm, range, string.format("SPDM %s %s", versions[version] or "", name))
    branch:add(f.request, range(1, 1), code >= 0x80):set_generated()
    if layout ~= nil then
        walk(layout, context, branch, range, 0)
    else
        branch:add_le(f.version, range(0, 1))
        branch:add_le(f.code, range(1, 1))
    end
    if context.short then branch:add_proto_expert_info(broken) end
    context.next = follow(context.inner or state, code, context)
    if turned then outer.inner, outer.inside = context.next, name end
    return context, name
end

function spdm.dissector(tvb, pinfo, tree)
    if tvb:len() < 4 then return 0 end
    place = place + 1
    local state, key = state_of(pinfo, place)
    local context, name = show_message(tvb(), tree, nil, state)
    pinfo.cols.protocol = "SPDM"
    pinfo.cols.info = string.format("%s %s%s", versions[tvb(0, 1):uint()] or "?", name,
                                    context.inside and " (" .. context.inside .. ")" or "")
    if not pinfo.visited then connections[key] = context.next end
    return tvb:len()
end

function spdm.init()
    connections, seen = {}, {}
end

-- A record: its session, and no more without keys.
function secured.dissector(tvb, pinfo, tree)
    if tvb:len() < 6 then return 0 end
    local branch = tree:add(spdm, tvb(), "SPDM record")
    pinfo.cols.protocol = "SPDM"
    pinfo.cols.info = string.format("record of session %08x", tvb(0, 4):le_uint())
    branch:add_le(f.session, tvb(0, 4))
    branch:add(f.sealed, tvb(4))
    return tvb:len()
end

-- ---- carriers ----

-- A whole MCTP message behind its header; messages in several packets are put together by Wireshark 4.4 itself.
local mctp = Proto("spdm_mctp", "MCTP with SPDM")
function mctp.dissector(tvb, pinfo, tree)
    local SOM_EOM = 3
    if tvb:len() < 6 then return 0 end
    place = 0
    local kind = tvb(4, 1):uint()
    if math.floor(tvb(3, 1):uint() / 64) ~= SOM_EOM and tvb(3, 1):uint() ~= 0 then
        pinfo.cols.info = "part of an MCTP message"
        return tvb:len()
    end
    if kind == 5 then return spdm.dissector(tvb(5):tvb(), pinfo, tree) end
    if kind == 6 then return secured.dissector(tvb(5):tvb(), pinfo, tree) end
    return 0
end

-- A PCI DOE data object: vendor 1, type 1 or 2, its length in dwords.
local doe = Proto("spdm_doe", "PCI DOE with SPDM")
function doe.dissector(tvb, pinfo, tree)
    if tvb:len() < 12 or tvb(0, 2):le_uint() ~= 1 then return 0 end
    place = 0
    if tvb(2, 1):uint() == 1 then return spdm.dissector(tvb(8):tvb(), pinfo, tree) end
    if tvb(2, 1):uint() == 2 then return secured.dissector(tvb(8):tvb(), pinfo, tree) end
    pinfo.cols.info = "DOE discovery"
    return tvb:len()
end

-- A link that says nothing of what it carries: the bytes tell.
local link = Proto("spdm_link", "SPDM by its content")
function link.dissector(tvb, pinfo, tree)
    if tvb:len() < 4 then return 0 end
    local first = tvb(0, 1):uint()
    if first >= 0x10 and first <= 0x1f then
        place = 0
        return spdm.dissector(tvb, pinfo, tree)
    end
    if tvb:len() >= 12 and first == 1 and tvb(1, 1):uint() == 0 and tvb(4, 4):le_uint() * 4 == tvb:len() then
        return doe.dissector(tvb, pinfo, tree)
    end
    return mctp.dissector(tvb, pinfo, tree)
end

-- DSP0287: PayloadLen, binding version, message type.
local tcp = Proto("spdm_tcp", "SPDM over TCP")
tcp.prefs.port = Pref.uint("TCP port", 4194, "where DSP0287 is spoken")
local HEADER, PLAIN, SECURED = 4, 5, 6

local function tcp_length(tvb, _, offset)
    return HEADER + tvb(offset, 2):le_uint()
end

local function tcp_frame(tvb, pinfo, tree)
    local kind = tvb(3, 1):uint()
    if tvb:len() == HEADER then
        pinfo.cols.info = string.format("SPDM over TCP, control 0x%02x", kind)
    elseif kind == PLAIN then
        spdm.dissector(tvb(HEADER):tvb(), pinfo, tree)
    elseif kind == SECURED then
        secured.dissector(tvb(HEADER):tvb(), pinfo, tree)
    end
    return tvb:len()
end

function tcp.dissector(tvb, pinfo, tree)
    place = 0
    pinfo.cols.protocol = "SPDM"
    dissect_tcp_pdus(tvb, tree, HEADER, tcp_length, tcp_frame)
    return tvb:len()
end

local attached
local function attach_tcp()
    local ports = DissectorTable.get("tcp.port")
    if attached ~= nil then ports:remove(attached, tcp) end
    attached = tcp.prefs.port
    ports:add(attached, tcp)
end
tcp.prefs_changed = attach_tcp
attach_tcp()

-- Wireshark 4.4 knows MCTP, and hands us what is of types 5 and 6; before it we take the whole packet.
local direct, direct_secured = Proto("spdm_mctp_plain", "SPDM in MCTP"), Proto("spdm_mctp_secured", "Secured SPDM in MCTP")
function direct.dissector(tvb, pinfo, tree)
    place = 0
    return spdm.dissector(tvb, pinfo, tree)
end
function direct_secured.dissector(tvb, pinfo, tree)
    place = 0
    return secured.dissector(tvb, pinfo, tree)
end
local known, encapsulated = pcall(DissectorTable.get, "mctp.encap-type")
if known and encapsulated ~= nil then
    encapsulated:add(5, direct)
    encapsulated:add(6, direct_secured)
else
    DissectorTable.get("sll.ltype"):add(0x00fa, mctp)
end
DissectorTable.get("ethertype"):add(0x88b5, doe)
DissectorTable.get("ethertype"):add(0x88b6, link)
for user = 0, 15 do DissectorTable.get("wtap_encap"):add(wtap["USER" .. user], link) end
