// Processes and threads of a Chrome trace, which names them by numbers of any size or by texts, as the numbers that a
// Trace knows them by. Internal to the import room.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gapscope {

class ChromeThreads {
public:
    // Beyond kMostThreads different ones, all others are one: theirs is the last place.
    uint32_t placeOf(std::string process, std::string thread);
    void nameProcess(uint32_t place, std::string name);  // of the thread at this place
    void nameThread(uint32_t place, std::string name);

    size_t size() const { return m_threads.size(); }
    uint32_t processOf(uint32_t place) const { return m_threads[place].process; }
    const std::string& processText(uint32_t process) const { return m_processes[process].text; }
    const std::string& threadText(uint32_t place) const { return m_threads[place].text; }
    size_t processCount() const { return m_processes.size(); }
    int64_t mergedCount() const { return m_merged; }

    // Gives numbers; before it none is asked for. Numbers of the file are kept where they fit 24 bits.
    void assignNumbers();
    // Own exports say which process a `pid` stands for.
    void setGlobalPid(const std::string& process, uint64_t globalPid);
    uint64_t globalPid(uint32_t process) const { return m_processes[process].globalPid; }
    uint64_t globalTid(uint32_t place) const;
    enum class Show { Thread, ProcessAndThread, DeviceAndThread };
    std::string title(uint32_t place, Show show) const;

private:
    struct Process {
        std::string text;
        std::string name;
        uint32_t number = 0;
        uint64_t globalPid = 0;
    };
    struct Thread {
        uint32_t process = 0;
        std::string text;
        std::string name;
        uint32_t number = 0;
    };
    uint32_t processPlace(std::string text);

    std::vector<Process> m_processes;
    std::vector<Thread> m_threads;
    std::map<std::string, uint32_t> m_processPlaces;
    std::map<std::pair<uint32_t, std::string>, uint32_t> m_threadPlaces;
    int64_t m_merged = 0;
};

}  // namespace gapscope
