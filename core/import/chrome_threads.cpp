#include "core/import/chrome_threads.h"

#include <algorithm>
#include <optional>
#include <set>

#include "core/import/json_cursor.h"
#include "core/import/row_checks.h"

namespace gapscope {

namespace {

constexpr uint32_t kMostNumber = 0xFFFFFF;  // 24 bits, as Nsight Systems packs them

std::optional<uint32_t> fittingNumber(const std::string& text) {
    const auto number = integerOf(text);
    if (!number || *number < 0 || *number > kMostNumber || text != std::to_string(*number)) return std::nullopt;
    return static_cast<uint32_t>(*number);
}

// Numbers of the file first; the others take free ones from the top.
template <class Item>
void assign(const std::vector<Item*>& items) {
    std::set<uint32_t> taken;
    std::vector<Item*> others;
    for (Item* item : items) {
        const auto number = fittingNumber(item->text);
        if (number && taken.insert(*number).second) {
            item->number = *number;
        } else {
            others.push_back(item);
        }
    }
    uint32_t next = kMostNumber;
    for (Item* item : others) {
        while (taken.contains(next))
            --next;
        item->number = next--;
    }
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n'))
        text.pop_back();
    return text;
}

}  // namespace

uint32_t ChromeThreads::processPlace(std::string text) {
    const auto [it, isNew] = m_processPlaces.try_emplace(text, static_cast<uint32_t>(m_processes.size()));
    if (isNew) m_processes.push_back({.text = std::move(text)});
    return it->second;
}

uint32_t ChromeThreads::placeOf(std::string process, std::string thread) {
    if (m_threads.size() >= kMostThreads) {
        const auto known = m_processPlaces.find(process);
        const bool isKnown = known != m_processPlaces.end() && m_threadPlaces.contains({known->second, thread});
        if (!isKnown) {
            ++m_merged;
            process = thread = "other threads";
        }
    }
    const uint32_t of = processPlace(std::move(process));
    const auto [it, isNew] = m_threadPlaces.try_emplace({of, thread}, static_cast<uint32_t>(m_threads.size()));
    if (isNew) m_threads.push_back({.process = of, .text = std::move(thread)});
    return it->second;
}

void ChromeThreads::nameProcess(uint32_t place, std::string name) {
    m_processes[m_threads[place].process].name = trimmed(std::move(name));
}

void ChromeThreads::nameThread(uint32_t place, std::string name) {
    m_threads[place].name = trimmed(std::move(name));
}

void ChromeThreads::assignNumbers() {
    std::vector<Process*> processes;
    for (Process& process : m_processes)
        processes.push_back(&process);
    assign(processes);
    for (Process* process : processes)
        process->globalPid = uint64_t{process->number} << 24;
    std::vector<std::vector<Thread*>> threads(m_processes.size());
    for (Thread& thread : m_threads)
        threads[thread.process].push_back(&thread);
    for (const auto& ofProcess : threads)
        assign(ofProcess);
}

void ChromeThreads::setGlobalPid(const std::string& process, uint64_t globalPid) {
    if (const auto it = m_processPlaces.find(process); it != m_processPlaces.end())
        m_processes[it->second].globalPid = globalPid;
}

uint64_t ChromeThreads::globalTid(uint32_t place) const {
    return globalPid(m_threads[place].process) | m_threads[place].number;
}

std::string ChromeThreads::title(uint32_t place, Show show) const {
    const Thread& thread = m_threads[place];
    const Process& process = m_processes[thread.process];
    std::string title = thread.name;
    if (title.empty()) title = integerOf(thread.text) ? "thread " + thread.text : thread.text;
    if (title.empty()) title = "thread";
    if (show == Show::DeviceAndThread) return "GPU " + process.text + ": " + title;
    if (show == Show::Thread) return title;
    std::string of = process.name;
    if (of.empty() || integerOf(process.text)) of += (of.empty() ? "process " : " ") + process.text;
    return of + ": " + title;
}

}  // namespace gapscope
