#include "addon_frames.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>

namespace tendril {
namespace {

// An addon says that it is one of N-API by what it imports (napi_call_function) or
// exports (napi_register_module_v1).
bool IsOfNapi(const dl_phdr_info* info) {
  const ElfW(Dyn)* dynamic = nullptr;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
      dynamic = reinterpret_cast<const ElfW(Dyn)*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
  if (!dynamic) return false;
  const ElfW(Sym)* symbols = nullptr;
  const char* names = nullptr;
  const uint32_t* hash = nullptr;
  const uint32_t* gnu_hash = nullptr;
  // glibc has made addresses of these where it could write to them.
  auto address = [&](ElfW(Addr) value) {
    return value < info->dlpi_addr ? value + info->dlpi_addr : value;
  };
  for (; dynamic->d_tag != DT_NULL; dynamic++) {
    auto at = address(dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(at);
    if (dynamic->d_tag == DT_STRTAB) names = reinterpret_cast<const char*>(at);
    if (dynamic->d_tag == DT_HASH) hash = reinterpret_cast<const uint32_t*>(at);
    if (dynamic->d_tag == DT_GNU_HASH) gnu_hash = reinterpret_cast<const uint32_t*>(at);
  }
  if (!symbols || !names) return false;
  size_t count = 0;
  if (hash) {
    count = hash[1];  // the System V ABI: nchain
  } else if (gnu_hash) {
    // The highest number in a bucket, and on to the end of its chain; imports come
    // before all that is hashed.
    uint32_t buckets = gnu_hash[0], first = gnu_hash[1], bloom = gnu_hash[2];
    auto* bucket = gnu_hash + 4 + bloom * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    auto* chain = bucket + buckets;
    uint32_t last = 0;
    for (uint32_t i = 0; i < buckets; i++) last = std::max(last, bucket[i]);
    if (last >= first)
      while (!(chain[last - first] & 1)) last++;
    count = std::max(last + 1, first);
  }
  for (size_t i = 0; i < count; i++)
    if (strncmp(names + symbols[i].st_name, "napi_", 5) == 0) return true;
  return false;
}

bool IsAddon(const char* name) {
  size_t length = strlen(name);
  return length > 5 && strcmp(name + length - 5, ".node") == 0;
}

}  // namespace

size_t AddonFrames::Update() {
  struct Found {
    std::vector<Code> codes;
    size_t count = 0;
  } found;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        if (!info->dlpi_name || !IsAddon(info->dlpi_name) || !IsOfNapi(info)) return 0;
        auto* found = static_cast<Found*>(data);
        Set bit = Set{1} << std::min<size_t>(found->count++, 63);
        for (int i = 0; i < info->dlpi_phnum; i++) {
          auto& segment = info->dlpi_phdr[i];
          if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X))
            found->codes.push_back({info->dlpi_addr + segment.p_vaddr, segment.p_memsz, bit});
        }
        return 0;
      },
      &found);
  codes_ = std::move(found.codes);
  uintptr_t end = 0;
  begin_ = UINTPTR_MAX;
  for (auto& code : codes_) {
    begin_ = std::min(begin_, code.begin);
    end = std::max(end, code.begin + code.size);
  }
  size_ = codes_.empty() ? 0 : end - begin_;
  return found.count;
}

AddonFrames::Set AddonFrames::Of(uintptr_t address) const {
  Set found = 0;
  if (address - begin_ >= size_) return found;
  for (auto& code : codes_)
    if (address - code.begin < code.size) found |= code.bit;
  return found;
}

AddonFrames::Set AddonFrames::On(const void* frame, const void* sp, const void* top) const {
  constexpr uintptr_t kWord = sizeof(uintptr_t);
  Set found = 0;
  auto end = reinterpret_cast<uintptr_t>(top);
  auto at = (reinterpret_cast<uintptr_t>(sp) + kWord - 1) & ~(kWord - 1);
  for (auto next = reinterpret_cast<uintptr_t>(frame); next != 0;) {
    bool is_frame = next % kWord == 0 && next >= at && next + 2 * kWord <= end;
    if (!is_frame) {
      for (; at + kWord <= end; at += kWord) found |= Of(*reinterpret_cast<uintptr_t*>(at));
      break;
    }
    auto* words = reinterpret_cast<uintptr_t*>(next);
    found |= Of(words[1]);
    at = next + 2 * kWord;
    next = words[0];
  }
  return found;
}

}  // namespace tendril
